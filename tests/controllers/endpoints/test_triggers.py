"""What a change of endpoints answers to."""

from msgspec.structs import replace

from argosy.api.core import Pod, Service
from argosy.api.meta import Condition
from argosy.controllers.endpoints.triggers import ANNOTATION, Triggers, annotated
from tests.controllers.endpoints.kit import SINCE, pod, service
from tests.controllers.test_podselection import Told


def at(name: str, second: int) -> Pod:
    one = pod(name, "10.0.0.1")
    when = f"2026-01-01T00:00:{second:02}Z"
    told = Condition(type="Ready", status="True", last_transition_time=when)
    return replace(one, status=replace(one.status, conditions=(told,)))


def test_times() -> None:
    triggers, of = Triggers(Told(Service)), service()
    assert triggers.time(of, [at("a", 5)]) == SINCE  # the first look
    assert triggers.time(of, [at("a", 5)]) == ""
    assert triggers.time(of, [at("a", 5), at("b", 9), at("c", 7)]) == "2026-01-01T00:00:07Z"
    assert triggers.time(of, [at("b", 9)]) == ""  # one that goes says nothing
    assert triggers.time(of, [at("b", 8)]) == ""


def test_what_is_gone_is_forgotten() -> None:
    services = Told(Service)
    triggers, of = Triggers(services), service()
    services.put(of.key, of)
    triggers.time(of, [])
    services.put(of.key, None)
    assert triggers.time(of, []) == SINCE


def test_the_annotation() -> None:
    assert annotated({"a": "b"}, "now") == {"a": "b", ANNOTATION: "now"}
    assert annotated({"a": "b", ANNOTATION: "then"}, "") == {"a": "b"}
