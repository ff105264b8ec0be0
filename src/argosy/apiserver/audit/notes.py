"""What filters and admission rules may note for the audit log about the request being answered.

The request's trail is at hand everywhere below the recorder. Where there is none, because nothing
is audited, a note costs a look and does nothing.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Protocol, runtime_checkable

from argosy.apiserver.request import User
from argosy.http.message import Request

DECISION = "authorization.k8s.io/decision"
REASON = "authorization.k8s.io/reason"


class Noting(Protocol):
    """A request's trail, as far as others write to it."""

    request: Request
    panic: str
    sent: str
    constraint: str

    def enter(self, user: User) -> None:
        """Its user is known."""
        ...

    def act(self, user: User) -> None:
        """It is answered as if it were `user`'s."""
        ...

    def annotate(self, key: str, value: str) -> None:
        """Add to its event; the first of a key stays."""
        ...


@runtime_checkable
class Detailed(Protocol):
    """A trail that can say how much is told of its request."""

    @property
    def tells_bodies(self) -> bool:
        """Whether what the client sent is told."""
        ...


CURRENT: ContextVar[Noting | None] = ContextVar("audit_trail", default=None)


def annotate(key: str, value: str) -> None:
    """Add to the event of the request; the first of a key stays."""
    if (trail := CURRENT.get()) is not None:
        trail.annotate(key, value)


def annotate_request(key: str, value: Callable[[], str]) -> None:
    """The same for what shows of the objects: only where the log tells of requests' bodies."""
    trail = CURRENT.get()
    if trail is not None and isinstance(trail, Detailed) and trail.tells_bodies:
        trail.annotate(key, value())


def entered(user: User) -> None:
    """The request is `user`'s."""
    if (trail := CURRENT.get()) is not None:
        trail.enter(user)


def acting(user: User) -> None:
    """It is answered as if it were `user`'s."""
    if (trail := CURRENT.get()) is not None:
        trail.act(user)


def constrained(verb: str) -> None:
    """By which verb of constrained impersonation; empty for what has always been allowed."""
    if (trail := CURRENT.get()) is not None:
        trail.constraint = verb


def decided(allowed: bool, reason: str) -> None:
    """It is allowed, or not, and why."""
    if (trail := CURRENT.get()) is not None:
        trail.annotate(DECISION, "allow" if allowed else "forbid")
        trail.annotate(REASON, reason)


def opened(request: Request) -> None:
    """It came in another form, and is `request` in JSON."""
    if (trail := CURRENT.get()) is not None:
        trail.request = request


def read(body: str) -> None:
    """What came was long, and is this in JSON."""
    if (trail := CURRENT.get()) is not None:
        trail.sent = body


def panicked(error: Exception) -> None:
    """The server itself failed at it."""
    if (trail := CURRENT.get()) is not None:
        trail.panic = f"APIServer panic'd: {error}"
