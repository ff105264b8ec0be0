"""The account of who selects whom is right after any changes."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.core import Pod, Service, ServiceSpec
from argosy.api.meta import Key, ObjectMeta
from argosy.controllers.podselection import PodSelection, equalities
from argosy.runtime.informer import Informer
from argosy.testing.clock import FakeClock

SPACES = st.sampled_from(["a", "b"])
NAMES = st.sampled_from(["x", "y", "z"])
LABELS = st.dictionaries(st.sampled_from(["k", "l"]), st.sampled_from(["1", "2"]), max_size=2)
CHANGES = st.lists(
    st.tuples(st.booleans(), SPACES, NAMES, st.none() | LABELS), min_size=1, max_size=30
)


class Told(Informer[Any]):
    """An informer that is told of changes by the test."""

    def __init__(self, kind: type[Any]) -> None:
        super().__init__(None, kind, FakeClock())  # type: ignore[arg-type]  # it asks nobody

    def put(self, key: Key, obj: Any) -> None:
        self._put(key, obj)


def selection(pods: Told, services: Told) -> PodSelection[Service]:
    return PodSelection(pods, services, lambda one: equalities(one.spec.selector))


def make(pod: bool, namespace: str, name: str, labels: dict[str, str]) -> Pod | Service:
    if pod:
        return Pod(metadata=ObjectMeta(name=name, namespace=namespace, labels=labels))
    meta = ObjectMeta(name=name, namespace=namespace)
    return Service(metadata=meta, spec=ServiceSpec(selector=labels))


def selects(service: Service, pod: Pod) -> bool:
    same = service.metadata.namespace == pod.metadata.namespace
    wanted = service.spec.selector
    return same and bool(wanted) and wanted.items() <= pod.metadata.labels.items()


@settings(max_examples=100, deadline=None)
@given(CHANGES)
def test_the_account_is_right(
    changes: list[tuple[bool, str, str, dict[str, str] | None]],
) -> None:
    pods, services = Told(Pod), Told(Service)
    account = selection(pods, services)
    for pod, namespace, name, labels in changes:
        told = pods if pod else services
        new = None if labels is None else make(pod, namespace, name, labels)
        if new is None and told.get(namespace, name) is None:
            continue
        told.put((namespace, name), new)
        for service in services.items():
            expected = sorted(one.key for one in pods.items() if selects(service, one))
            assert [one.key for one in account.pods(service)] == expected
        for one in pods.items():
            expected = sorted(service.key for service in services.items() if selects(service, one))
            assert sorted(account.selecting(one)) == expected


def test_who_is_gone_selects_nothing() -> None:
    pods, services = Told(Pod), Told(Service)
    account = selection(pods, services)
    meta = ObjectMeta(name="s", namespace="a")
    service = Service(metadata=meta, spec=ServiceSpec(selector={"k": "1"}))
    services.put(service.key, service)
    pods.put(("a", "p"), make(True, "a", "p", {"k": "1"}))
    assert [one.key for one in account.pods(service)] == [("a", "p")]
    services.put(service.key, None)
    assert account.pods(service) == []
