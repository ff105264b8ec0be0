"""A request and a response: what crosses between the two towers, with or without a socket."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs

# Nobody changes either; they are not frozen because that would double the time to make them.


@dataclass(slots=True)
class Request:
    """One whole request. Header names are lower-case; `path` is as sent, before any decoding."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def parameters(self) -> dict[str, str]:
        """The query's parameters; of one that is there several times, the last."""
        if not self.query:
            return {}
        found = parse_qs(self.query, keep_blank_values=True)
        return {name: values[-1] for name, values in found.items()}


@dataclass(slots=True)
class Response:
    """One answer: a whole body, or pieces that are sent as they come (and closed when done)."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | AsyncGenerator[bytes, None] = b""


Handler = Callable[[Request], Awaitable[Response]]
