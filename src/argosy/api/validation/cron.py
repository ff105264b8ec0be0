"""When a CronJob runs: five fields, or a name such as `@daily`, or `@every 1h30m`.

Source: the grammar of robfig/cron, whose words the errors use.
"""

import re
from collections.abc import Mapping

NAMED = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
MONTHS = {
    name: i for i, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)
}
DAYS = {name: i for i, name in enumerate("sun mon tue wed thu fri sat".split())}
FIELDS: tuple[tuple[int, int, Mapping[str, int]], ...] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, MONTHS),
    (0, 6, DAYS),
)
DURATION = re.compile(r"[+-]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+)")


def schedule_fault(text: str) -> str:
    """What is wrong with a schedule; '' where nothing is."""
    if text.startswith(("TZ=", "CRON_TZ=")):
        _, space, text = text.partition(" ")
        if not space:
            return "invalid schedule format: runtime error: slice bounds out of range"
        text = text.strip()
    if text.startswith("@"):
        return _descriptor_fault(text)
    parts = text.split()
    if len(parts) != len(FIELDS):
        return f"expected exactly 5 fields, found {len(parts)}: [{' '.join(parts)}]"
    for part, (low, high, known) in zip(parts, FIELDS, strict=True):
        for term in filter(None, part.split(",")):
            if fault := _range_fault(term, low, high, known):
                return fault
    return ""


def _descriptor_fault(text: str) -> str:
    if text in NAMED:
        return ""
    if not text.startswith("@every "):
        return f"unrecognized descriptor: {text}"
    duration = text.removeprefix("@every ")
    if DURATION.fullmatch(duration):
        return ""
    return f'failed to parse duration {text}: time: invalid duration "{duration}"'


def _range_fault(term: str, low: int, high: int, known: Mapping[str, int]) -> str:
    """`3`, `3-7`, `*`, each with `/step`."""
    span, *steps = term.split("/")
    ends = span.split("-")
    try:
        if ends[0] in ("*", "?"):
            start, end = low, high
        elif len(ends) > 2:
            return f"too many hyphens: {term}"
        else:
            start, end = _number(ends[0], known), _number(ends[-1], known)
        if len(steps) > 1:
            return f"too many slashes: {term}"
        step = _number(steps[0], {}) if steps else 1
    except ValueError as error:
        return str(error)
    if steps and len(ends) == 1:
        end = high
    found = (
        (start < low, f"beginning of range ({start}) below minimum ({low}): {term}"),
        (end > high, f"end of range ({end}) above maximum ({high}): {term}"),
        (start > end, f"beginning of range ({start}) beyond end of range ({end}): {term}"),
        (step == 0, f"step of range should be a positive number: {term}"),
    )
    return next((text for wrong, text in found if wrong), "")


def _number(text: str, known: Mapping[str, int]) -> int:
    """Raises ValueError with the error's text."""
    if text.lower() in known:
        return known[text.lower()]
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        detail = f'strconv.Atoi: parsing "{text}": invalid syntax'
        raise ValueError(f"failed to parse int from {text}: {detail}")
    if int(text) < 0:
        raise ValueError(f"negative number ({int(text)}) not allowed: {text}")
    return int(text)
