"""What a client may ask for before it is refused, and the words in which it is refused."""

from collections.abc import Callable
from dataclasses import dataclass

ErrorBody = Callable[[int, str], tuple[bytes, str]]
"""Makes the body and the content type of an error that the server itself answers."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one connection. Sizes are in bytes, times in seconds."""

    url_bytes: int = 16 * 1024
    header_bytes: int = 64 * 1024
    headers: int = 256
    # What Kubernetes' API server takes.
    body_bytes: int = 3 * 1024 * 1024
    # Whole requests that may wait behind the one in flight before the server stops reading.
    pipelined: int = 16
    head_seconds: float = 10.0
    body_seconds: float = 60.0
    # Longer than clients keep an unused connection (Go: 90), so that they close it, not we.
    idle_seconds: float = 180.0
    # How long a client may leave a full buffer unread.
    stall_seconds: float = 60.0
    # How long a refused client is listened to, so that it can read why before the reset.
    linger_seconds: float = 1.0
    # How long an upgraded connection may be silent in both directions: as long as a kubelet's.
    upgraded_seconds: float = 4 * 3600.0


def plain_error(status: int, text: str) -> tuple[bytes, str]:
    """The plainest `ErrorBody`: one line of text."""
    return f"{status} {text}\n".encode(), "text/plain; charset=utf-8"
