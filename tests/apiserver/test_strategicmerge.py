"""The tables follow Kubernetes' documentation of the patch; the properties follow its purpose."""

import copy
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.api import builtin
from argosy.api.kinds import OWN, RESOURCES
from argosy.api.schema import Schema
from argosy.apiserver.app import APIServer
from argosy.apiserver.authentication.tokens import Tokens, token_hash
from argosy.apiserver.catalog import Catalog
from argosy.apiserver.mergepatch import MAX_DEPTH
from argosy.apiserver.negotiate import MERGE, STRATEGIC, patches
from argosy.apiserver.openapi import OpenAPI
from argosy.apiserver.request import User
from argosy.apiserver.strategicmerge import merge
from argosy.base.clock import SystemClock
from argosy.base.errors import StatusError
from argosy.http.message import Request
from argosy.store.memory import MemoryStore

Json = dict[str, Any]

STRING = Schema(type="string")
STRINGS = Schema(type="object", values=STRING)
PLAIN = Schema(type="array", items=STRING)


def record(**properties: Schema) -> Schema:
    return Schema(type="object", properties=properties)


def merging(items: Schema, key: str = "") -> Schema:
    return Schema(type="array", items=items, patch_strategy="merge", merge_key=key)


ENV = record(name=STRING, value=STRING)
CONTAINER = record(
    name=STRING,
    image=STRING,
    args=PLAIN,
    env=merging(ENV, "name"),
    ports=merging(record(port=Schema(type="integer"), protocol=STRING), "port"),
)
SECRET = record(name=Schema(type="string", default=""))
POD = record(
    labels=STRINGS,
    finalizers=merging(STRING),
    containers=merging(CONTAINER, "name"),
    secrets=merging(SECRET, "name"),
    tolerations=Schema(type="array", items=record(key=STRING, value=STRING)),
    strategy=record(type=STRING, rolling=record(surge=STRING)),
    selector=Schema(type="object", values=STRING, patch_strategy="replace"),
    phase=STRING,
)


def named(names: str, **more: Any) -> list[Json]:
    return [{"name": name, **more} for name in names]


def replaced(*rest: Json) -> list[Json]:
    return [*rest, {"$patch": "replace"}]


@pytest.mark.parametrize(
    ("live", "patch", "merged"),
    [
        ({"phase": "a"}, {"phase": "b"}, {"phase": "b"}),
        ({"phase": "a"}, {"phase": None}, {}),
        ({"labels": {"a": "b", "c": "d"}}, {"labels": {"a": None}}, {"labels": {"c": "d"}}),
        ({"phase": "a"}, {"labels": {"a": "b"}}, {"phase": "a", "labels": {"a": "b"}}),
        ({}, {"labels": {"a": None, "b": "c"}}, {"labels": {"b": "c"}}),
        ({"selector": {"a": "b"}}, {"selector": {"c": "d"}}, {"selector": {"c": "d"}}),
        ({"other": {"a": 1}}, {"other": {"b": [1]}}, {"other": {"a": 1, "b": [1]}}),
        ({"other": [1]}, {"other": [2]}, {"other": [2]}),
        ({"tolerations": named("a")}, {"tolerations": []}, {"tolerations": []}),
        (
            {"tolerations": [{"key": "a", "value": "b"}]},
            {"tolerations": [{"key": "a", "value": None}, {"key": "c"}]},
            {"tolerations": [{"key": "a"}, {"key": "c"}]},
        ),
        ({"labels": {"a": "b"}}, {"$patch": "replace", "phase": "c"}, {"phase": "c"}),
        (
            {"labels": {"a": "b"}},
            {"$patch": "merge", "phase": "c"},
            {"labels": {"a": "b"}, "phase": "c"},
        ),
        ({"labels": {"a": "b"}}, {"$patch": "delete"}, {}),
        (
            {"labels": {"a": "b"}},
            {"labels": {"$patch": "replace", "c": "d"}},
            {"labels": {"c": "d"}},
        ),
        ({"labels": {"a": "b"}, "phase": "c"}, {"labels": {"$patch": "delete"}}, {"phase": "c"}),
        ({}, {"labels": {"$patch": "replace", "c": "d"}}, {"labels": {"c": "d"}}),
        ({}, {"labels": {"$patch": "delete"}}, {}),
    ],
)
def test_maps(live: Json, patch: Json, merged: Json) -> None:
    assert merge(live, patch, POD) == merged


@pytest.mark.parametrize(
    ("live", "patch", "merged"),
    [
        ("ab", {"finalizers": ["c"]}, "cab"),
        ("ab", {"finalizers": ["b", "c"]}, "abc"),
        ("ab", {"finalizers": ["b", "b"]}, "ab"),
        ("a", {"finalizers": ["b", "b"]}, "ba"),
        ("ab", {"finalizers": []}, "ab"),
        ("abc", {"$setElementOrder/finalizers": ["b", "c", "a"]}, "bca"),
        ("axb", {"$setElementOrder/finalizers": ["b", "a"]}, "xba"),
        ("abc", {"$deleteFromPrimitiveList/finalizers": ["b", "c", "d"]}, "a"),
        (
            "abx",
            {
                "finalizers": ["c"],
                "$deleteFromPrimitiveList/finalizers": ["a"],
                "$setElementOrder/finalizers": ["c", "b"],
            },
            "cbx",
        ),
        ("", {"finalizers": ["b", "a"], "$setElementOrder/finalizers": ["b", "a"]}, "ba"),
        ("ab", {"finalizers": None, "$setElementOrder/finalizers": ["a"]}, None),
        (None, {"$setElementOrder/finalizers": ["a"]}, None),
        (None, {"$deleteFromPrimitiveList/finalizers": ["a"]}, None),
    ],
)
def test_lists_of_scalars(live: str | None, patch: Json, merged: str | None) -> None:
    current = {} if live is None else {"finalizers": list(live)}
    assert merge(current, patch, POD) == ({} if merged is None else {"finalizers": list(merged)})


def test_scalars_can_be_removed_from_a_list_that_is_replaced_otherwise() -> None:
    live = {"containers": [{"name": "a", "args": ["x", "y"]}]}
    patch = {"containers": [{"name": "a", "$deleteFromPrimitiveList/args": ["x"]}]}
    assert merge(live, patch, POD) == {"containers": [{"name": "a", "args": ["y"]}]}


@pytest.mark.parametrize(
    ("live", "patch", "merged"),
    [
        (
            named("ab", image="x"),
            {"containers": [{"name": "b", "image": "y"}]},
            [*named("a", image="x"), *named("b", image="y")],
        ),
        (named("ab"), {"containers": named("c")}, named("cab")),
        (named("ab"), {"containers": [{"$patch": "merge", "name": "b"}]}, named("ab")),
        (named("ab"), {"containers": [{"$patch": "delete", "name": "a"}]}, named("b")),
        (named("aba"), {"containers": [{"$patch": "delete", "name": "a"}]}, named("b")),
        (named("a"), {"containers": [{"$patch": "delete", "name": "x"}]}, named("a")),
        (named("ab", image="x"), {"containers": replaced({"name": "a"})}, named("a")),
        (named("ab"), {"containers": replaced()}, []),
        (
            named("axb"),
            {"containers": [*named("cb")], "$setElementOrder/containers": named("cba")},
            named("cxba"),
        ),
        (
            named("abc"),
            {
                "containers": [{"$patch": "delete", "name": "b"}],
                "$setElementOrder/containers": named("ca"),
            },
            named("ca"),
        ),
        (
            [{"name": "a", "env": [{"name": "x", "value": "1"}, {"name": "y", "value": "2"}]}],
            {"containers": [{"name": "a", "env": [{"$patch": "delete", "name": "x"}]}]},
            [{"name": "a", "env": [{"name": "y", "value": "2"}]}],
        ),
        (
            [
                {
                    "name": "a",
                    "ports": [{"port": 53, "protocol": "U"}, {"port": 53, "protocol": "T"}],
                }
            ],
            {"containers": [{"name": "a", "ports": [{"port": 53, "protocol": "S"}]}]},
            [
                {
                    "name": "a",
                    "ports": [{"port": 53, "protocol": "S"}, {"port": 53, "protocol": "T"}],
                }
            ],
        ),
        (
            None,
            {
                "containers": [
                    {
                        "name": "a",
                        "image": None,
                        "$retainKeys": ["name", "env"],
                        "env": [{"name": "x"}, {"name": "y", "$patch": "delete"}],
                    },
                ],
                "$setElementOrder/containers": named("a"),
            },
            [{"name": "a", "env": [{"name": "x"}]}],
        ),
    ],
)
def test_lists_by_key(live: list[Json] | None, patch: Json, merged: list[Json]) -> None:
    current = {} if live is None else {"containers": live}
    assert merge(current, patch, POD) == {"containers": merged}


def test_a_key_that_is_left_out_counts_with_its_default() -> None:
    live = {"secrets": [{}, {"name": "a"}]}
    assert merge(live, {"secrets": [{"name": "a"}, {}]}, POD) == {"secrets": [{"name": "a"}, {}]}


def test_elements_of_other_types_are_others() -> None:
    schema = record(list=merging(Schema(type="any")))
    patched = merge({"list": [1, True, "1"]}, {"$deleteFromPrimitiveList/list": [True]}, schema)
    assert [type(item) for item in patched["list"]] == [int, str]


@pytest.mark.parametrize(
    ("patch", "merged"),
    [
        (
            {"$retainKeys": ["type"], "type": "Recreate"},
            {"type": "Recreate"},
        ),
        ({"$retainKeys": ["type"]}, {"type": "Rolling"}),
        ({"$retainKeys": ["type"], "rolling": None}, {"type": "Rolling"}),
        ({"$retainKeys": []}, {}),
        ({"type": "Recreate"}, {"type": "Recreate", "rolling": {"surge": "1"}}),
    ],
)
def test_retained_keys(patch: Json, merged: Json) -> None:
    live = {"strategy": {"type": "Rolling", "rolling": {"surge": "1"}}}
    assert merge(live, {"strategy": patch}, POD) == {"strategy": merged}


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ({"$patch": "remove"}, r"at its root: \$patch must be one of replace, delete, merge"),
        ({"labels": {"$patch": ["replace"]}}, r"at labels: \$patch must be one of"),
        ({"$retainKeys": "labels"}, r"\$retainKeys must be a list"),
        ({"$retainKeys": [1]}, r"\$retainKeys must be a list of field names"),
        (
            {"$retainKeys": ["a"], "phase": "b"},
            r"\$retainKeys must list every field .* lacks phase",
        ),
        ({"$setElementOrder/finalizers": "a"}, r"\$setElementOrder/finalizers must be a list"),
        ({"$setElementOrder": ["a"]}, r"\$setElementOrder must name a field"),
        ({"$deleteFromPrimitiveList/": ["a"]}, r"\$deleteFromPrimitiveList must name a field"),
        (
            {"$deleteFromPrimitiveList/finalizers": [{}]},
            "at finalizers: each element must be a str",
        ),
        ({"$setElementOrder/tolerations": []}, "at tolerations: .* this one is replaced"),
        ({"$setElementOrder/phase": ["a"], "phase": "b"}, "at phase: .* names a field that is no"),
        (
            {"$setElementOrder/finalizers": ["a", "b"], "finalizers": ["b", "a"]},
            r"at finalizers: \$setElementOrder must list the elements of the patch in their order",
        ),
        (
            {"$setElementOrder/containers": named("a"), "containers": named("b")},
            r"at containers: \$setElementOrder must list the elements",
        ),
        ({"finalizers": [["a"]]}, "at finalizers: each element must be a string"),
        ({"finalizers": [None]}, "at finalizers: each element must be a string"),
        (
            {"containers": ["a"]},
            "at containers: each element must be a map with its merge key name",
        ),
        ({"containers": [{"image": "a"}]}, "each element must be a map with its merge key name"),
        ({"containers": [{"name": {}}]}, "each element must be a map with its merge key name"),
        ({"containers": [{"$patch": "delete"}]}, "each element must be a map with its merge key"),
        ({"containers": [{"name": "a", "env": [1]}]}, r"at containers\[a\]\.env: each element"),
        ({"tolerations": [{"$patch": "delete"}]}, r"at tolerations\[0\]: \$patch is for elements"),
    ],
)
def test_what_is_malformed_is_refused(patch: Json, message: str) -> None:
    live = {"containers": named("ab"), "tolerations": [], "finalizers": ["a"]}
    with pytest.raises(StatusError, match=message) as caught:
        merge(live, patch, POD)
    assert caught.value.code == 400


@pytest.mark.parametrize("wrap", [lambda inner: {"a": inner}, lambda inner: {"a": [inner]}])
def test_refuses_deep_nesting(wrap: Any) -> None:
    patch: Json = {}
    for _ in range(MAX_DEPTH + 1):
        patch = wrap(patch)
    with pytest.raises(StatusError, match="nested more than") as caught:
        merge({}, patch, POD)
    assert caught.value.code == 400


def test_the_built_in_kinds_bring_their_strategies() -> None:
    schema = builtin.load()("io.k8s.api.core.v1.Pod")
    live = {
        "metadata": {"finalizers": ["a"], "ownerReferences": [{"uid": "1"}]},
        "spec": {
            "containers": [{"name": "a", "command": ["x"]}],
            "volumes": [{"name": "v", "emptyDir": {}}],
            "tolerations": [{"key": "a"}],
        },
    }
    patch = {
        "metadata": {"finalizers": ["b"], "ownerReferences": [{"uid": "2"}]},
        "spec": {
            "containers": [{"name": "a", "command": ["y"]}, {"name": "b"}],
            "volumes": [{"name": "v", "$retainKeys": ["name", "configMap"], "configMap": {}}],
            "tolerations": [{"key": "b"}],
        },
    }
    assert merge(live, patch, schema) == {
        "metadata": {"finalizers": ["b", "a"], "ownerReferences": [{"uid": "2"}, {"uid": "1"}]},
        "spec": {
            "containers": [{"name": "a", "command": ["y"]}, {"name": "b"}],
            "volumes": [{"name": "v", "configMap": {}}],
            "tolerations": [{"key": "b"}],
        },
    }


NAMES = st.lists(st.sampled_from("abcd"), unique=True, max_size=4)
VALUES = st.sampled_from(["1", "2"])
ENVS = NAMES.flatmap(
    lambda names: st.tuples(
        *(
            st.fixed_dictionaries({"name": st.just(name)}, optional={"value": VALUES})
            for name in names
        )
    ).map(list)
)
CONTAINERS = NAMES.flatmap(
    lambda names: st.tuples(
        *(
            st.fixed_dictionaries(
                {"name": st.just(name)},
                optional={"image": VALUES, "env": ENVS, "args": st.lists(VALUES, max_size=2)},
            )
            for name in names
        )
    ).map(list)
)
OBJECTS: st.SearchStrategy[Json] = st.fixed_dictionaries(
    {},
    optional={
        "phase": VALUES,
        "labels": st.dictionaries(st.sampled_from("xyz"), VALUES),
        "finalizers": NAMES,
        "containers": CONTAINERS,
        "selector": st.dictionaries(st.sampled_from("xyz"), VALUES),
        "tolerations": st.lists(st.fixed_dictionaries({"key": VALUES}), max_size=2),
    },
)


def difference(old: Json, new: Json, schema: Schema) -> Json:
    """The patch that makes `new` of `old`."""
    patch: Json = {name: None for name in old if name not in new}
    for name, value in new.items():
        inner = schema.properties.get(name) or schema.values or STRING
        before = old.get(name)
        if before == value:
            continue
        if not before or inner.patch_strategy == "replace" or inner.type == "string":
            patch[name] = value
        elif inner.type == "object":
            patch[name] = difference(before, value, inner)
        elif inner.patch_strategy != "merge":
            patch[name] = value
        else:
            patch |= list_difference(name, before, value, inner)
    return patch


def list_difference(name: str, old: list[Any], new: list[Any], schema: Schema) -> Json:
    key = schema.merge_key
    if not key:
        return {
            name: [item for item in new if item not in old],
            f"$deleteFromPrimitiveList/{name}": [item for item in old if item not in new],
            f"$setElementOrder/{name}": new,
        }
    before = {item[key]: item for item in old}
    after = {item[key]: item for item in new}
    items = schema.items or STRING
    changed = [
        {key: value} | difference(before.get(value, {key: value}), item, items)
        for value, item in after.items()
        if before.get(value) != item
    ]
    gone = [{"$patch": "delete", key: value} for value in before if value not in after]
    order = [{key: value} for value in after]
    return {name: changed + gone, f"$setElementOrder/{name}": order}


@given(OBJECTS)
def test_an_empty_patch_changes_nothing(live: Json) -> None:
    assert merge(live, {}, POD) == live


@given(OBJECTS, OBJECTS)
def test_the_difference_leads_from_one_to_the_other(old: Json, new: Json) -> None:
    patch = difference(old, new, POD)
    given = copy.deepcopy((old, patch))
    merged = merge(old, patch, POD)
    assert merged == new
    assert (old, patch) == given
    assert merge(merged, patch, POD) == new


@given(OBJECTS, OBJECTS)
def test_what_another_added_stays(old: Json, new: Json) -> None:
    """As long as the difference does not speak of it: three-way merging is what it is all for."""
    live = copy.deepcopy(old)
    live.setdefault("labels", {})["theirs"] = "1"
    live.setdefault("containers", []).append({"name": "theirs", "image": "1"})
    patch = difference(
        {"labels": {}, "containers": [], **old}, {"labels": {}, "containers": [], **new}, POD
    )
    merged = merge(live, patch, POD)
    assert merged["labels"] == {**new.get("labels", {}), "theirs": "1"}
    theirs = {"name": "theirs", "image": "1"}
    assert theirs in merged["containers"]
    assert [item for item in merged["containers"] if item != theirs] == new.get("containers", [])


async def test_built_in_kinds_take_it_and_own_kinds_answer_415() -> None:
    definitions = builtin.load()
    server = APIServer(
        store=MemoryStore(),
        catalog=Catalog(RESOURCES, OWN, definitions),
        definitions=definitions,
        tokens=Tokens({token_hash("t"): User("tester", ("system:masters",))}),
        clock=SystemClock(),
    )

    async def ask(method: str, path: str, media: str, body: Json) -> tuple[int, Json]:
        headers = {"authorization": "Bearer t", "content-type": media}
        answer = await server.handle(
            Request(method, path, headers=headers, body=msgspec.json.encode(body))
        )
        assert isinstance(answer.body, bytes)
        return answer.status, msgspec.json.decode(answer.body)

    node: Json = {
        "metadata": {"name": "n"},
        "spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]},
    }
    assert (await ask("POST", "/api/v1/nodes", "application/json", node))[0] == 201
    status: Json = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    assert (await ask("PATCH", "/api/v1/nodes/n/status", STRATEGIC, status))[0] == 200
    status["status"]["conditions"][0]["type"] = "DiskPressure"
    code, patched = await ask("PATCH", "/api/v1/nodes/n/status", STRATEGIC, status)
    assert code == 200
    assert [item["type"] for item in patched["status"]["conditions"]] == ["DiskPressure", "Ready"]
    taints = {taint["key"] for taint in patched["spec"]["taints"]}
    assert taints == {"a", "node.kubernetes.io/not-ready"}

    path = "/apis/trainer.kubeflow.org/v1alpha1/clustertrainingruntimes/r"
    code, refused = await ask("PATCH", path, STRATEGIC, {})
    assert (code, refused["reason"]) == (415, "UnsupportedMediaType")
    assert refused["message"].endswith(": " + ", ".join(patches(own=True)))
    assert (await ask("PATCH", path, MERGE, {}))[0] == 404


@pytest.mark.parametrize("own", [False, True])
async def test_the_openapi_documents_list_it_where_it_is_taken(own: bool) -> None:
    definitions = builtin.load()
    documents = OpenAPI(Catalog(RESOURCES, OWN, definitions), definitions, {})
    group = "apis/trainer.kubeflow.org/v1alpha1" if own else "api/v1"
    resource = "clustertrainingruntimes" if own else "nodes"
    path = f"/openapi/v3/{group}"
    answer = await documents.find(Request("GET", path), path)
    assert answer is not None and isinstance(answer.body, bytes)
    document = msgspec.json.decode(answer.body)
    operation = document["paths"][f"/{group}/{resource}/{{name}}"]["patch"]
    assert set(operation["requestBody"]["content"]) == set(patches(own=own))
    assert (STRATEGIC in patches(own=own)) is not own
