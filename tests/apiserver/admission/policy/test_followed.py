"""Configuration as it is found in a store."""

import threading
from typing import Any

import msgspec
import pytest

from argosy.api.resources.access import VALIDATING_POLICY, VALIDATING_POLICY_BINDING
from argosy.apiserver.admission.policy.followed import Registry
from argosy.apiserver.answers import Answers, Unanswered
from argosy.store.interface import DELETE
from argosy.store.memory import MemoryStore

Json = dict[str, Any]


async def write(store: MemoryStore, name: str, *, generation: int = 1, uid: str = "a") -> None:
    meta = {"name": name, "uid": uid, "generation": generation}
    value = msgspec.json.encode({"metadata": meta})
    await store.write(VALIDATING_POLICY.key(name=name), lambda record, revision: value)


async def test_objects_are_made_once_for_each_generation() -> None:
    store, made = MemoryStore(), list[str]()
    registry = Registry(store)

    def make(obj: Json) -> str:
        made.append(f"{obj['metadata']['name']}/{obj['metadata']['generation']}")
        return made[-1]

    policies = registry.of(VALIDATING_POLICY, make)
    others = registry.of(VALIDATING_POLICY_BINDING, make)
    assert (list(policies.all(Answers())), list(others.all(Answers()))) == ([], [])

    await write(store, "b")
    await write(store, "a")
    assert list(policies.all(Answers())) == ["a/1", "b/1"]
    edition = policies.edition
    await write(store, "a")  # its status, say
    assert policies.all(Answers()) is policies.all(Answers())
    assert (policies.edition, made) == (edition, ["b/1", "a/1"])

    await write(store, "a", generation=2)
    await write(store, "b", uid="b")
    assert list(policies.all(Answers())) == ["a/2", "b/1"]
    assert sorted(made[2:]) == ["a/2", "b/1"]

    await store.write(VALIDATING_POLICY.key(name="a"), lambda record, revision: DELETE)
    assert list(policies.all(Answers())) == ["b/1"]
    assert not others.all(Answers())


async def test_what_was_there_before_is_read_and_the_rest_left_alone() -> None:
    store = MemoryStore()
    await write(store, "a")
    wrong = VALIDATING_POLICY.key(name="wrong")
    await store.write(wrong, lambda record, revision: b"[]")
    await store.write("/admissionregistration.k8s.io/others/x", lambda record, revision: b"{}")
    policies = Registry(store).of(VALIDATING_POLICY, lambda obj: str(obj["metadata"]["name"]))

    assert list(policies.all(Answers())) == ["a"]


async def test_a_lost_history_is_read_anew() -> None:
    store = MemoryStore()
    policies = Registry(store).of(VALIDATING_POLICY, lambda obj: str(obj["metadata"]["name"]))
    await write(store, "a")
    assert list(policies.all(Answers())) == ["a"]
    await write(store, "b")
    await write(store, "c")
    store.compact(store.revision)
    assert list(policies.all(Answers())) == ["a", "b", "c"]


async def test_what_is_long_is_made_in_a_thread() -> None:
    store, threads = MemoryStore(), list[bool]()
    registry = Registry(store)

    def make(obj: Json) -> str:
        threads.append(threading.current_thread() is threading.main_thread())
        return str(obj["metadata"]["name"])

    policies = registry.of(VALIDATING_POLICY, make)
    await write(store, "short")
    assert list(policies.all(Answers())) == ["short"]
    long = msgspec.json.encode({"metadata": {"name": "long"}, "spec": {"a": "x" * 5000}})
    await store.write(VALIDATING_POLICY.key(name="long"), lambda record, revision: long)
    answers = Answers()
    with pytest.raises(Unanswered) as raised:
        policies.all(answers)
    await answers.fill(raised.value)

    assert list(policies.all(answers)) == ["long", "short"]
    assert list(policies.all(Answers())) == ["long", "short"]
    assert threads == [True, False]
