"""`kr8s`: objects that write themselves. It knows neither PUT nor server-side apply."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import kr8s
from kr8s._async_utils import as_sync_func
from kr8s.objects import APIObject, ConfigMap, Pod, Table, new_class

from argosy.api.kinds import PREFERRED
from tests.e2e.clients.port import Event, Listed
from tests.e2e.kit import Json, Refused

CORE: dict[str, Any] = {"ConfigMap": ConfigMap, "Pod": Pod}


@contextmanager
def connect(kubeconfig: Path, namespace: str, scratch: Path) -> Iterator["Kr8s"]:
    """A client as the kubeconfig says."""
    api = kr8s.api(kubeconfig=str(kubeconfig), namespace=namespace)
    try:
        yield Kr8s(api)
    finally:
        session = api._session  # it has no way of its own to close its connections
        if session is not None:
            as_sync_func(session.aclose)()


@contextmanager
def refusals() -> Iterator[None]:
    """Its exceptions, told as ours."""
    try:
        yield
    except kr8s.NotFoundError as error:
        cause = error.__cause__
        assert isinstance(cause, kr8s.ServerError)
        raise Refused(404, status(cause)) from error
    except kr8s.ServerError as error:
        assert error.response is not None
        raise Refused(error.response.status_code, status(error)) from error


def status(error: kr8s.ServerError) -> Json:
    """The Status that came."""
    told: Any = error.status
    assert isinstance(told, dict), told
    return told


@cache
def resource(kind: str) -> Any:
    """The class of a kind, made once: kr8s remembers every class that it makes."""
    return CORE.get(kind) or new_class(kind, PREFERRED[kind].api_version, asyncio=False)


def plural(kind: str) -> str:
    """How it is looked up in the API's discovery."""
    found = PREFERRED[kind]
    return f"{found.plural}.{found.group}" if found.group else found.plural


class Kr8s:
    """Makes an object of a body for every request."""

    applies = False

    def __init__(self, api: Any) -> None:
        self._api = api

    def create(self, body: Json) -> Json:
        made = self._object(body)
        with refusals():
            made.create()
        return plain(made)

    def read(self, kind: str, name: str) -> Json:
        found = self._named(kind, name)
        with refusals():
            found.refresh()
        return plain(found)

    def list(self, kind: str, labels: str) -> Listed:
        found = list(self._api.get(plural(kind), label_selector=labels))
        # A list's resourceVersion isn't told to callers, a table's is.
        table = next(self._api.get(plural(kind), label_selector=labels, as_object=Table))
        return Listed([plain(item) for item in found], table.raw.metadata.resourceVersion)

    def watch(self, kind: str, labels: str, since: str) -> Iterator[Event]:
        for what, found in self._api.watch(plural(kind), label_selector=labels, since=since):
            yield Event(what, plain(found))

    def label(self, kind: str, name: str, labels: dict[str, str]) -> Json:
        found = self._named(kind, name)
        with refusals():
            found.patch({"metadata": {"labels": labels}})
        return plain(found)

    def update(self, body: Json) -> Json:
        found = self._object(body)
        with refusals():
            found.patch(body)  # the resourceVersion in it makes this an update
        return plain(found)

    def apply(self, body: Json, *, manager: str, force: bool = False) -> Json:
        raise NotImplementedError

    def delete(self, kind: str, name: str) -> None:
        found = self._named(kind, name)
        with refusals():
            found.delete()

    def _named(self, kind: str, name: str) -> Any:
        return resource(kind)({"metadata": {"name": name}}, api=self._api)

    def _object(self, body: Json) -> Any:
        return resource(body["kind"])(body, api=self._api)


def plain(found: APIObject) -> Json:
    """An object as JSON."""
    body: Json = found.raw.to_dict()
    return body
