"""What is shared is equal to what it stands for, and what is remembered is bounded."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.core import Pod, PodSpec
from argosy.api.meta import ObjectMeta
from argosy.runtime import sharing
from argosy.runtime.sharing import Sharing

texts = st.sampled_from(["", "a", "1", "null", "[]", "ä", "web"])
maps = st.dictionaries(texts, texts, max_size=2)
amounts = st.dictionaries(texts, st.one_of(texts, st.integers(0, 2), st.just(1.0)), max_size=2)
owners = st.lists(st.fixed_dictionaries({"uid": texts, "controller": st.booleans()}), max_size=2)
containers = st.lists(
    st.fixed_dictionaries(
        {
            "name": texts,
            "command": st.lists(texts),
            "resources": st.fixed_dictionaries({"requests": amounts}),
        }
    ),
    max_size=2,
)
pods = st.fixed_dictionaries(
    {
        "metadata": st.fixed_dictionaries(
            {"name": texts, "labels": maps, "annotations": maps, "ownerReferences": owners}
        ),
        "spec": st.fixed_dictionaries(
            {"nodeName": texts, "containers": containers, "affinity": st.none() | maps}
        ),
        "status": st.fixed_dictionaries({"phase": texts, "startTime": st.none() | texts}),
    }
)


def decoded(pod: object) -> Pod:
    return msgspec.json.decode(msgspec.json.encode(pod), type=Pod)


@settings(max_examples=60)
@given(st.lists(pods, max_size=6))
def test_a_view_is_what_it_was(drawn: list[object]) -> None:
    share = Sharing()
    for pod in drawn:
        shared = share(decoded(pod))
        assert msgspec.json.encode(shared) == msgspec.json.encode(decoded(pod))
        assert shared == decoded(pod)


def running(name: str, address: str) -> Pod:
    return decoded(
        {
            "metadata": {"name": name, "namespace": "default", "labels": {"app": "web"}},
            "spec": {"containers": [{"name": "main", "image": "i"}], "nodeName": "n" * 5},
            "status": {
                "podIP": address,
                "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": address}],
            },
        }
    )


def pinned(name: str) -> Pod:
    return decoded({"metadata": {"name": name}, "spec": {"affinity": {"nodeAffinity": {}}}})


def test_equal_parts_are_one() -> None:
    share = Sharing()
    one, two = share(running("a", "10.0.0.1")), share(running("b", "10.0.0.2"))
    assert one.metadata.labels is two.metadata.labels
    assert one.metadata.namespace is two.metadata.namespace
    assert one.spec.containers is two.spec.containers
    assert one.spec.node_name is two.spec.node_name
    assert one.status.conditions[0].type is two.status.conditions[0].type
    assert (one.status.pod_ip, two.status.pod_ip) == ("10.0.0.1", "10.0.0.2")


def test_what_is_too_large_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "LONGEST", 10)
    monkeypatch.setattr(sharing, "LONGEST_TEXT", 4)
    share = Sharing()
    one, two = share(running("a", "1")), share(running("b", "2"))
    assert one.metadata.labels is not two.metadata.labels
    assert one.metadata.labels == two.metadata.labels
    assert one.spec.node_name is not two.spec.node_name


def test_what_is_worth_a_look_is_learnt_and_learnt_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "LEARNING", 128)
    monkeypatch.setattr(sharing, "KNOWING", 100)
    share = Sharing()
    for at in range(128):
        share(running(f"p{at}", f"10.0.0.{at}"))
    meta, spec = (dict(share._plans[kind].fields).keys() for kind in (ObjectMeta, PodSpec))
    assert {"namespace", "labels"} <= meta and not {"name", "uid", "annotations"} & meta
    assert "containers" in spec and "affinity" not in spec
    late = [share(pinned(f"q{at}")) for at in range(200)]
    assert late[0].spec.affinity is not late[1].spec.affinity
    assert late[150].spec.affinity is late[151].spec.affinity


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "TEXTS", 20)
    monkeypatch.setattr(sharing, "PARTS", 5)
    share = Sharing()
    for at in range(200):
        share(running(f"p{at}", f"10.0.0.{at}"))
        assert len(share._texts) <= 20 + 12
        assert all(
            len(parts) <= 5 for plan in share._plans.values() for _, parts in plan.fields if parts
        )
    one, two = share(running("x", "1")), share(running("y", "2"))
    assert one.spec.containers is two.spec.containers
