"""Which pods autoscalers select, against a model that looks at everything each time."""

from typing import Any, cast

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.autoscaling import HorizontalPodAutoscaler
from argosy.api.core import Pod
from argosy.base.selectors import parse_labels
from argosy.controllers.autoscaling.selected import Selected
from argosy.runtime.informer import Informer

SELECTORS = ("app=a", "app=b", "app in (a,b)", "tier!=x", "app=a,tier=y", "!tier")
Subscriber = Any


class Copy:
    """An informer that the test fills."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], Any] = {}
        self._told: list[Subscriber] = []

    def subscribe(self, subscriber: Subscriber) -> None:
        self._told.append(subscriber)

    def get(self, namespace: str, name: str) -> Any:
        return self.objects.get((namespace, name))

    def put(self, key: tuple[str, str], new: Any) -> None:
        old = self.objects.pop(key, None)
        if new is not None:
            self.objects[key] = new
        if old is not None or new is not None:
            for told in self._told:
                told(old, new)


def made(kind: type[Any], key: tuple[str, str], labels: dict[str, str]) -> Any:
    meta = {"namespace": key[0], "name": key[1], "labels": labels}
    return msgspec.convert({"metadata": meta}, kind)


def following() -> tuple[Copy, Copy, Selected]:
    pods, scalers = Copy(), Copy()
    selected = Selected(cast(Informer[Pod], pods), cast(Informer[HorizontalPodAutoscaler], scalers))
    return pods, scalers, selected


KEYS = st.tuples(st.sampled_from(["n", "m"]), st.sampled_from(["1", "2", "3"]))
LABELS = st.fixed_dictionaries(
    {}, optional={"app": st.sampled_from("abc"), "tier": st.sampled_from("xy")}
)
STEPS = st.one_of(
    st.tuples(st.just("pod"), KEYS, st.none() | LABELS),
    st.tuples(st.just("scaler"), KEYS, st.none() | st.sampled_from(SELECTORS)),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(STEPS, max_size=30))
def test_it_selects_what_matches(steps: list[tuple[str, tuple[str, str], Any]]) -> None:
    pods, scalers, selected = following()
    wanted: dict[tuple[str, str], str] = {}
    for what, key, how in steps:
        if what == "pod":
            pods.put(key, None if how is None else made(Pod, key, how))
            continue
        scalers.put(key, None if how is None else made(HorizontalPodAutoscaler, key, {}))
        wanted.pop(key, None)
        if how is not None:
            wanted[key] = how
            selected.select(key, parse_labels(how))
    members = {}
    for key, text in wanted.items():
        selector = parse_labels(text)
        members[key] = {
            pod.key
            for pod in pods.objects.values()
            if pod.key[0] == key[0] and selector.matches(pod.metadata.labels)
        }
        assert {pod.key for pod in selected.select(key, selector)} == members[key]
        assert selected.siblings(key[0]) == sum(one[0] == key[0] for one in wanted)
    for key, mine in members.items():
        rivals = [one for one, theirs in members.items() if mine & theirs]
        assert selected.rivals(key) == sorted(rivals)


def test_one_that_is_gone_selects_nothing() -> None:
    pods, scalers, selected = following()
    pods.put(("n", "1"), made(Pod, ("n", "1"), {"app": "a"}))
    assert selected.select(("n", "web"), parse_labels("app=a")) == []
    scalers.put(("n", "web"), made(HorizontalPodAutoscaler, ("n", "web"), {}))
    assert len(selected.select(("n", "web"), parse_labels("app=a"))) == 1
    scalers.put(("n", "web"), None)
    assert selected.rivals(("n", "web")) == []
    assert selected.siblings("n") == 0
