"""Logs: a constant message and keys, one line each, on standard error."""

import logging
from typing import Final

_STANDARD: Final = frozenset(
    [*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", "color_message"]
)


class KeyValueFormatter(logging.Formatter):
    """`time level logger: message key=value …`; what has spaces is quoted."""

    def format(self, record: logging.LogRecord) -> str:
        head = super().format(record)
        first, *rest = head.split("\n")
        keys = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        pairs = "".join(f" {key}={_shown(value)}" for key, value in keys.items())
        return "\n".join([first + pairs, *rest])


def _shown(value: object) -> str:
    text = str(value)
    return repr(text) if not text or any(char.isspace() or char == '"' for char in text) else text


def configure(level: str) -> None:
    """Log to standard error from `level` (`debug`, `info`, `warning`, `error`) on."""
    handler = logging.StreamHandler()
    handler.setFormatter(
        KeyValueFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s", "%H:%M:%S")
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
