"""`lightkube`: its models of the core kinds, and a generic resource for other kinds."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightkube
from lightkube.generic_resource import create_namespaced_resource
from lightkube.resources.core_v1 import ConfigMap, Pod
from lightkube.types import PatchType

from argosy.api.kinds import PREFERRED
from tests.e2e.clients.port import WATCH_SECONDS, Event, Listed
from tests.e2e.kit import Json, Refused

CORE: dict[str, Any] = {"ConfigMap": ConfigMap, "Pod": Pod}


@contextmanager
def connect(kubeconfig: Path, namespace: str, scratch: Path) -> Iterator["Lightkube"]:
    """A client as the kubeconfig says."""
    access = lightkube.KubeConfig.from_file(str(kubeconfig))
    with lightkube.Client(access, namespace=namespace, field_manager="lightkube") as client:
        yield Lightkube(client)


@contextmanager
def refusals() -> Iterator[None]:
    """Its exception, told as ours."""
    try:
        yield
    except lightkube.ApiError as error:
        raise Refused(error.response.status_code, error.status.to_dict()) from error


def resource(kind: str) -> Any:
    """The class of a kind."""
    if kind in CORE:
        return CORE[kind]
    found = PREFERRED[kind]
    return create_namespaced_resource(found.group, found.version, kind, found.plural)


def model(body: Json) -> Any:
    """An object of lightkube's."""
    return resource(body["kind"]).from_dict(body)


def plain(found: Any) -> Json:
    """An object as JSON."""
    body: Json = found.to_dict()
    return body


class Lightkube:
    """Gives it models, and takes them."""

    applies = True

    def __init__(self, client: lightkube.Client) -> None:
        self._client = client

    def create(self, body: Json) -> Json:
        with refusals():
            return plain(self._client.create(model(body)))

    def read(self, kind: str, name: str) -> Json:
        with refusals():
            return plain(self._client.get(resource(kind), name))

    def list(self, kind: str, labels: str) -> Listed:
        key, value = labels.split("=")
        found = self._client.list(resource(kind), labels={key: value})
        items = [plain(item) for item in found]
        return Listed(items, str(found.resourceVersion))

    def watch(self, kind: str, labels: str, since: str) -> Iterator[Event]:
        key, value = labels.split("=")
        events = self._client.watch(
            resource(kind),
            labels={key: value},
            resource_version=since,
            server_timeout=WATCH_SECONDS,
        )
        for what, found in events:
            yield Event(what, plain(found))

    def label(self, kind: str, name: str, labels: dict[str, str]) -> Json:
        body = {"metadata": {"labels": labels}}
        # Its default is a strategic merge patch, which custom kinds don't know.
        options: Json = {} if kind in CORE else {"patch_type": PatchType.MERGE}
        with refusals():
            return plain(self._client.patch(resource(kind), name, body, **options))

    def update(self, body: Json) -> Json:
        with refusals():
            return plain(self._client.replace(model(body)))

    def apply(self, body: Json, *, manager: str, force: bool = False) -> Json:
        with refusals():
            return plain(self._client.apply(model(body), field_manager=manager, force=force))

    def delete(self, kind: str, name: str) -> None:
        with refusals():
            self._client.delete(resource(kind), name)
