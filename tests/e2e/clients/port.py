"""What the tour asks of a client library; one module beside this one adapts each library to it.

An adapter takes and gives objects as plain JSON, uses the library's typed API where it has one for
the kind and its generic one elsewhere, and turns the library's own exception for a refused request
into `Refused`.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple, Protocol

from tests.e2e.kit import Json

WATCH_SECONDS = 30


class Listed(NamedTuple):
    """A list: its objects, and the resourceVersion to watch from."""

    items: list[Json]
    version: str


class Event(NamedTuple):
    """One event of a watch."""

    type: str
    object: Json


class Client(Protocol):
    """A client of one namespace."""

    applies: bool  # whether the library can apply server-side

    def create(self, body: Json) -> Json: ...

    def read(self, kind: str, name: str) -> Json: ...

    def list(self, kind: str, labels: str) -> Listed: ...

    def watch(self, kind: str, labels: str, since: str) -> Iterator[Event]:
        """Events after `since`, for `WATCH_SECONDS` at most where the library can limit it."""

    def label(self, kind: str, name: str, labels: dict[str, str]) -> Json:
        """Add labels with the patch type that the library takes where nobody names one."""

    def update(self, body: Json) -> Json:
        """Write back an object that was read, unless it has changed since."""

    def apply(self, body: Json, *, manager: str, force: bool = False) -> Json: ...

    def delete(self, kind: str, name: str) -> None: ...


class Connect(Protocol):
    """How an adapter is entered; `scratch` is a folder that outlives the run."""

    def __call__(
        self, kubeconfig: Path, namespace: str, scratch: Path
    ) -> AbstractContextManager[Client]: ...
