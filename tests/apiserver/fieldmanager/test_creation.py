"""What is written at creation is what comparing with nothing finds, for every kind and content."""

from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.builtin import load
from argosy.api.kinds import OWN, RESOURCES
from argosy.api.schema import Schema
from argosy.api.structs import schema_of
from argosy.apiserver.fieldmanager.creation import PLANS, begun, first_fields
from argosy.apiserver.fieldmanager.manager import track_update

Json = dict[str, Any]
DEFINITIONS = load()
SCHEMAS = {
    item.definition: DEFINITIONS(item.definition)
    for item in RESOURCES
    if item.definition in DEFINITIONS
} | {kind.__name__: schema_of(kind, DEFINITIONS) for kind in OWN}
NAMES = ("a", "b", "a b", 'quo"te', "Grüße", "A", "AB", "x" * 70, "0")
WRITER: dict[str, Any] = {
    "manager": 'me "too"',
    "api_version": "v1",
    "time": "2026-11-21T00:00:00Z",
}


class Filler:
    """Objects of a schema's form, with what is allowed to be odd: empty, twice, unknown."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def value(self, schema: Schema, depth: int = 0) -> Any:
        if schema.type == "object":
            return self._map(schema, depth)
        if schema.type == "array":
            count = 0 if depth > 7 else self.random.choice((0, 1, 1, 2, 3))
            return [self.value(schema.items or Schema(type="any"), depth + 1) for _ in range(count)]
        if schema.type == "any":
            return self.random.choice(("x", 1, None, {}, [], {"a": {"b": [1]}}, [{"a": 1}]))
        if schema.type in ("integer", "number", "int-or-string"):
            return self.random.choice((0, 1, 80, 443))
        return self.random.choice((True, False)) if schema.type == "boolean" else self._text()

    def _text(self) -> str:
        return self.random.choice(NAMES)

    def _map(self, schema: Schema, depth: int) -> Json:
        share = 0.0 if depth > 7 else 0.5 if depth < 3 else 0.25
        names = [name for name in schema.properties if self.random.random() < share]
        found = {name: self.value(schema.properties[name], depth + 1) for name in names}
        if schema.values is not None and share:
            found |= {self._text(): self.value(schema.values, depth + 1) for _ in range(2)}
        return found


def owned(obj: Json) -> Any:
    return obj["metadata"].get("managedFields")


@pytest.mark.parametrize("name", SCHEMAS)
@settings(max_examples=4)
@given(seed=st.integers(0, 2**32))
def test_it_is_what_a_comparison_finds(name: str, seed: int) -> None:
    schema = SCHEMAS[name]
    obj = {"apiVersion": "v1", "kind": "K", "metadata": {}, **Filler(seed).value(schema)}
    obj["metadata"].pop("managedFields", None)
    strip = ("status",)
    write = first_fields(schema)
    for _ in range(2):  # the second time by the plans that the first has made
        fast = msgspec.json.decode(msgspec.json.encode(begun(obj, write, **WRITER, strip=strip)))
        slow = track_update(None, obj, **WRITER, schema=schema, strip=strip)
        assert msgspec.json.encode(owned(fast)) == msgspec.json.encode(owned(slow))


def test_items_of_one_key_are_owned_as_one() -> None:
    ports = [{"containerPort": 80, "name": "a"}, {"containerPort": 80, "protocol": "TCP"}]
    pod = {"metadata": {}, "spec": {"containers": [{"name": "web", "ports": ports}]}}
    schema = SCHEMAS["io.k8s.api.core.v1.Pod"]
    fast = begun(pod, first_fields(schema), **WRITER, strip=())
    (entry,) = msgspec.json.decode(msgspec.json.encode(owned(fast)))
    web = entry["fieldsV1"]["f:spec"]["f:containers"]['k:{"name":"web"}']
    assert web["f:ports"] == {".": {}, 'k:{"containerPort":80,"protocol":"TCP"}': {}}


def test_structs_that_are_always_there_are_nobodys() -> None:
    pod = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "web"}]}}
    schema = SCHEMAS["io.k8s.api.core.v1.Pod"]
    fast = begun(pod, first_fields(schema), **WRITER, strip=())
    (entry,) = msgspec.json.decode(msgspec.json.encode(owned(fast)))
    assert entry["fieldsV1"] == {
        "f:metadata": {"f:labels": {".": {}, "f:a": {}}},
        "f:spec": {"f:containers": {'k:{"name":"web"}': {".": {}, "f:name": {}}}},
    }


def test_who_sets_nothing_owns_nothing() -> None:
    bare = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "uid": "1"}}
    write = first_fields(SCHEMAS["io.k8s.api.core.v1.ConfigMap"])
    assert begun(bare, write, **WRITER, strip=()) == bare


def test_the_names_of_labels_are_remembered_and_forgotten() -> None:
    """However many sets of them come, and whether they are met before or not."""
    write = first_fields(SCHEMAS["io.k8s.api.core.v1.ConfigMap"])
    for at in [*range(3 * PLANS), *range(3 * PLANS)]:
        labels = {f"l-{at}": "x", "a" * at: "y"}
        fast = begun({"metadata": {"labels": labels}}, write, **WRITER, strip=())
        (entry,) = msgspec.json.decode(msgspec.json.encode(owned(fast)))
        expected: Json = {".": {}} | {f"f:{name}": {} for name in labels}
        assert entry["fieldsV1"] == {"f:metadata": {"f:labels": expected}}
