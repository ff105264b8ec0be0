"""Client libraries of others, as their users install them, make the same tour of the API.

One tour for all; `clients/` adapts each library to `clients/port.py`. Built-in kinds go through a
library's typed API, TrainJobs stand for custom kinds and go through its generic one.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from argosy.api.kinds import PREFERRED
from tests.e2e.clients import javascript, kr8s, lightkube, official
from tests.e2e.clients.port import Client, Connect, Event
from tests.e2e.digits import manifest
from tests.e2e.kit import PATIENCE, Cluster, Json, Refused, is_true

# kr8s says so of every minor that is newer than its release.
pytestmark = pytest.mark.filterwarnings("ignore:Kubernetes version .* is not supported:UserWarning")

LIBRARIES: dict[str, Connect] = {
    "kubernetes": official.connect,
    "lightkube": lightkube.connect,
    "kr8s": kr8s.connect,
    "client-node": javascript.connect,
}
SPECS: dict[str, Json] = {
    "ConfigMap": {"data": {"key": "value"}},
    "Pod": {
        "spec": {
            "schedulerName": "none",  # it stays pending, and nobody but the client writes it
            "containers": [{"name": "main", "image": "host", "command": ["true"]}],
        }
    },
    "TrainJob": {
        "spec": {
            "runtimeRef": {"name": "digits", "kind": "TrainingRuntime"},
            "suspend": True,
        }
    },
}
SELECTED = "app=tour"
DELETED = "DELETED"


@pytest.fixture(params=LIBRARIES)
def client(request: pytest.FixtureRequest, cluster: Cluster, namespace: str) -> Iterator[Client]:
    """Each library in turn, with the admin's kubeconfig."""
    cluster.apply(manifest("runtime"), namespace)
    connect = LIBRARIES[request.param]
    with connect(cluster.kubeconfig, namespace, request.config.cache.mkdir("clients")) as made:
        yield made


@dataclass(frozen=True, slots=True)
class Watched:
    """The events of a watch that runs in a thread."""

    told: "queue.SimpleQueue[Event | BaseException]"

    def type_of(self, obj: Json) -> str:
        """The type of the event that tells this version of an object."""
        return self._until(lambda event: version(event.object) == version(obj)).type

    def until_gone(self, name: str) -> None:
        """Wait until an object is told to be deleted."""
        self._until(lambda event: (event.type, event.object["metadata"]["name"]) == (DELETED, name))

    def _until(self, check: Callable[[Event], bool]) -> Event:
        while True:
            event = self.told.get(timeout=PATIENCE)
            if isinstance(event, BaseException):
                raise event
            if check(event):
                return event


def version(obj: Json) -> tuple[str, str]:
    """What tells an object, as it was then, from all others."""
    return obj["metadata"]["name"], obj["metadata"]["resourceVersion"]


@contextmanager
def watching(client: Client, kind: str, since: str) -> Iterator[Watched]:
    """A watch from a version on, that ends with the first object that goes."""
    told: queue.SimpleQueue[Event | BaseException] = queue.SimpleQueue()

    def watch() -> None:
        try:
            for event in client.watch(kind, SELECTED, since):
                told.put(event)
                if event.type == DELETED:
                    return
            told.put(AssertionError("the watch ended"))
        except BaseException as error:
            told.put(error)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    yield Watched(told)
    thread.join(PATIENCE)
    assert not thread.is_alive()


def sample(kind: str, name: str = "mine", labels: str = "tour") -> Json:
    """An object to create."""
    metadata = {"name": name, "labels": {"app": labels}}
    version = PREFERRED[kind].api_version
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **SPECS[kind]}


def created(client: Client, cluster: Cluster, namespace: str, kind: str) -> Json:
    """An object that exists, and that no controller will write again."""
    made = client.create(sample(kind))
    if kind == "TrainJob":
        cluster.until(kind, "mine", namespace, is_true("Suspended"))
    return made


@pytest.mark.parametrize("kind", SPECS)
def test_round_trip(client: Client, cluster: Cluster, namespace: str, kind: str) -> None:
    cluster.apply(sample(kind, "other", "none"), namespace)
    made = created(client, cluster, namespace, kind)
    assert made["metadata"]["namespace"] == namespace
    found = client.read(kind, "mine")
    assert found["metadata"]["uid"] == made["metadata"]["uid"]
    assert found["kind"] == kind
    listed = client.list(kind, SELECTED)
    assert [item["metadata"]["name"] for item in listed.items] == ["mine"]
    with watching(client, kind, listed.version) as watched:
        labelled = client.label(kind, "mine", {"by": "patch"})
        assert labelled["metadata"]["labels"] == {"app": "tour", "by": "patch"}
        assert watched.type_of(labelled) == "MODIFIED"
        labelled["metadata"]["annotations"] = {"by": "update"}
        updated = client.update(labelled)
        assert updated["metadata"]["annotations"] == {"by": "update"}
        assert watched.type_of(updated) == "MODIFIED"
        entered = cluster.apply(sample(kind, "other"), namespace)
        assert watched.type_of(entered) == "ADDED"
        if client.applies:
            applied = taken_over(client, kind)
            assert watched.type_of(applied) == "MODIFIED"
        client.delete(kind, "mine")
        watched.until_gone("mine")
    assert client.list(kind, SELECTED).items[0]["metadata"]["name"] == "other"


@pytest.mark.parametrize("kind", SPECS)
def test_refusals(client: Client, cluster: Cluster, namespace: str, kind: str) -> None:
    with refused(404, "NotFound"):
        client.read(kind, "mine")
    with refused(404, "NotFound"):
        client.delete(kind, "mine")
    with refused(404, "NotFound"):
        client.label(kind, "mine", {"by": "patch"})
    with refused(422, "Invalid") as told:
        client.create(sample(kind, "Not_A_Name"))
    assert "metadata.name" in told.message
    created(client, cluster, namespace, kind)
    with refused(409, "AlreadyExists"):
        client.create(sample(kind))
    stale = client.read(kind, "mine")
    client.label(kind, "mine", {"by": "patch"})
    with refused(409, "Conflict"):
        client.update(stale)


@dataclass(slots=True)
class Told:
    """What a refusal said."""

    message: str = ""


@contextmanager
def refused(code: int, reason: str) -> Iterator[Told]:
    """The block's request is refused so."""
    told = Told()
    with pytest.raises(Refused) as caught:
        yield told
    told.message = caught.value.message
    assert (caught.value.code, caught.value.reason) == (code, reason)


def taken_over(client: Client, kind: str) -> Json:
    """Apply a field that the client's own update has made: a conflict, unless forced."""
    body = configuration(kind, "apply")
    with refused(409, "Conflict") as told:
        client.apply(body, manager="tour")
    assert ".metadata.annotations.by" in told.message
    applied = client.apply(body, manager="tour", force=True)
    assert applied["metadata"]["annotations"] == {"by": "apply"}
    managers = {(it["manager"], it["operation"]) for it in applied["metadata"]["managedFields"]}
    assert ("tour", "Apply") in managers
    return applied


def configuration(kind: str, value: str) -> Json:
    """What is applied: one annotation."""
    metadata = {"name": "mine", "annotations": {"by": value}}
    return {"apiVersion": PREFERRED[kind].api_version, "kind": kind, "metadata": metadata}
