"""Tests of checking and pruning values against their schemas."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api import builtin, structural
from argosy.api.schema import Schema

DEFINITIONS = builtin.load()
POD = DEFINITIONS("io.k8s.api.core.v1.Pod")
CLAIM = DEFINITIONS("io.k8s.api.resource.v1.ResourceClaim")
GROUP = DEFINITIONS("io.k8s.api.scheduling.v1beta1.PodGroup")
SECRET = DEFINITIONS("io.k8s.api.core.v1.Secret")
CRD = DEFINITIONS("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps")


def pod(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {"containers": [container()], **spec},
    }


def container(**fields: Any) -> dict[str, Any]:
    return {
        "name": "web",
        "image": "web:1",
        "ports": [{"containerPort": 8080}],
        "resources": {"limits": {"cpu": "500m", "memory": "64Mi"}},
        "readinessProbe": {"httpGet": {"path": "/", "port": "http"}},
        **fields,
    }


def claim() -> dict[str, Any]:
    selector = {"cel": {"expression": 'device.driver == "gpu"'}}
    capacity = {"requests": {"memory": "40Gi"}}
    exactly = {"deviceClassName": "gpu", "selectors": [selector], "capacity": capacity}
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaim",
        "metadata": {"name": "half"},
        "spec": {"devices": {"requests": [{"name": "gpu", "exactly": exactly}]}},
    }


def group() -> dict[str, Any]:
    return {
        "apiVersion": "scheduling.k8s.io/v1beta1",
        "kind": "PodGroup",
        "metadata": {"name": "gang"},
        "spec": {"schedulingPolicy": {"gang": {"minCount": 2}}},
    }


VALID = [(POD, pod()), (CLAIM, claim()), (GROUP, group())]


@pytest.mark.parametrize("schema, value", VALID)
def test_good_objects_pass_unchanged(schema: Schema, value: dict[str, Any]) -> None:
    assert structural.check(schema, value) == []
    assert structural.unknown_fields(schema, value) == []
    assert structural.prune(schema, value) is value


BAD = [
    (
        pod(containers={}),
        'spec.containers: Invalid value: "object": '
        'spec.containers in body must be of type array: "object"',
    ),
    (pod(containers=None), "spec.containers: Required value"),
    ({"spec": {}}, "spec.containers: Required value"),
    (pod(containers=[None]), "spec.containers[0].name: Required value"),
    (pod(containers=[{"image": "x"}]), "spec.containers[0].name: Required value"),
    (
        pod(containers=[container(args=["a", 1])]),
        'spec.containers[0].args[1]: Invalid value: "integer": '
        'spec.containers[0].args[1] in body must be of type string: "integer"',
    ),
    (
        pod(containers=[container(stdin="yes")]),
        'spec.containers[0].stdin: Invalid value: "string": '
        'spec.containers[0].stdin in body must be of type boolean: "string"',
    ),
    (
        pod(priority=2**31),
        "spec.priority: Invalid value: 2147483648: "
        "spec.priority in body should be less than or equal to 2147483647",
    ),
    (
        pod(activeDeadlineSeconds=-(2**63) - 1),
        "spec.activeDeadlineSeconds: Invalid value: -9223372036854775809: "
        "spec.activeDeadlineSeconds in body should be greater than or equal to "
        "-9223372036854775808",
    ),
    (
        pod(priority=True),
        'spec.priority: Invalid value: "boolean": '
        'spec.priority in body must be of type integer: "boolean"',
    ),
    (
        pod(priority=1.0),
        'spec.priority: Invalid value: "number": '
        'spec.priority in body must be of type integer: "number"',
    ),
    (
        pod(overhead={"cpu": "1 core"}),
        'spec.overhead[cpu]: Invalid value: "1 core": quantities must match the regular '
        "expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ),
    (
        pod(overhead={"cpu": True}),
        'spec.overhead[cpu]: Invalid value: "boolean": '
        'spec.overhead[cpu] in body must be of type quantity: "boolean"',
    ),
    (
        pod(containers=[container(livenessProbe={"tcpSocket": {"port": 1.5}})]),
        'spec.containers[0].livenessProbe.tcpSocket.port: Invalid value: "number": '
        "spec.containers[0].livenessProbe.tcpSocket.port in body must be of type "
        'int-or-string: "number"',
    ),
    (
        {**pod(), "metadata": {"creationTimestamp": "2026-02-30T00:00:00Z"}},
        'metadata.creationTimestamp: Invalid value: "2026-02-30T00:00:00Z": '
        "metadata.creationTimestamp in body must be of type date-time",
    ),
    (
        {**pod(), "metadata": {"labels": {"a": 1}}},
        'metadata.labels[a]: Invalid value: "integer": '
        'metadata.labels[a] in body must be of type string: "integer"',
    ),
]


@pytest.mark.parametrize("value, expected", BAD)
def test_bad_fields_are_named(value: dict[str, Any], expected: str) -> None:
    assert [str(error) for error in structural.check(POD, value)] == [expected]


def test_all_faults_are_told_at_once() -> None:
    errors = structural.check(POD, pod(priority="1", hostNetwork=1, containers=[{}]))
    assert {error.field for error in errors} == {
        "spec.priority",
        "spec.hostNetwork",
        "spec.containers[0].name",
    }


@pytest.mark.parametrize(
    "schema, value, reason",
    [
        (Schema(type="string", enum=("a", "b")), "c", "FieldValueNotSupported"),
        (Schema(type="string", pattern="^[a-z]+$"), "A", "FieldValueInvalid"),
        (Schema(type="string", min_length=1), "", "FieldValueInvalid"),
        (Schema(type="string", max_length=1), "ab", "FieldValueTooLong"),
        (Schema(type="integer", minimum=1), 0, "FieldValueInvalid"),
        (Schema(type="integer", maximum=9), 10, "FieldValueInvalid"),
        (Schema(type="number", minimum=0.5), 0.4, "FieldValueInvalid"),
        (Schema(type="number"), "1", "FieldValueTypeInvalid"),
        (Schema(type="int-or-string"), 2**31, "FieldValueInvalid"),
        (Schema(type="object"), [], "FieldValueTypeInvalid"),
    ],
)
def test_limits(schema: Schema, value: object, reason: str) -> None:
    (error,) = structural.check(schema, value, "spec.x")
    assert (error.reason, error.field) == (reason, "spec.x")


@pytest.mark.parametrize(
    "text, good",
    [
        ("2026-11-21T08:00:00Z", True),
        ("2026-11-21T08:00:00.123456+02:00", True),
        ("2026-11-21T08:00:00", False),
        ("2026-11-21 08:00:00Z", False),
        ("2026-11-21T25:00:00Z", False),
        ("yesterday", False),
    ],
)
def test_times(text: str, good: bool) -> None:
    assert (structural.check(Schema(type="string", format="date-time"), text) == []) is good


@pytest.mark.parametrize("text, good", [("YQ==", True), ("", True), ("YQ", False), ("%", False)])
def test_bytes_are_base64(text: str, good: bool) -> None:
    assert (structural.check(SECRET, {"data": {"a": text}}) == []) is good


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"properties": {"a": value}}
    return value


@pytest.mark.parametrize(
    "schema, value",
    [
        (CRD, nested(50)),
        (CRD, nested(2000)),
        (CRD, {"default": [[]] * 2 + [json.loads("[" * 200 + "]" * 200)]}),
        (Schema(type="object", unknown=True), nested(2000)),
    ],
)
def test_depth_is_bounded(schema: Schema, value: object) -> None:
    (error,) = structural.check(schema, value)
    assert error.text == "Invalid value: must not be nested more than 100 levels deep"
    assert structural.check(CRD, nested(49)) == []
    structural.prune(schema, value)
    structural.unknown_fields(schema, value)


def test_unknown_fields_are_found_and_worded() -> None:
    value = pod(foo=1, containers=[container(nmae="x")], nodeSelector={"any": "key"})
    value["metadata"]["lables"] = {}
    paths = structural.unknown_fields(POD, value)
    assert paths == ["metadata.lables", "spec.containers[0].nmae", "spec.foo"]
    error = structural.strict_decoding_error("Pod", "v1", paths[2:])
    assert error.code == 400
    assert error.message == (
        'Pod in version "v1" cannot be handled as a Pod: strict decoding error: '
        'unknown field "spec.foo"'
    )
    twice = ['duplicate field "spec.a"']
    both = structural.strict_decoding_error("Pod", "v1", paths[2:], twice=twice)
    assert both.message.endswith('error: duplicate field "spec.a", unknown field "spec.foo"')


def test_prune_drops_unknown_fields_and_nulls_without_touching_its_input() -> None:
    value = pod(foo=1, priority=None, containers=[container(nmae="x", args=["a", None])])
    before = copy.deepcopy(value)
    pruned = structural.prune(POD, value)
    assert value == before
    assert pruned == pod(containers=[container(args=["a", ""])])


def test_open_fields_are_kept_whole() -> None:
    schema = Schema(type="object", unknown=True, properties={"a": Schema(type="any")})
    value = {"a": {"b": None}, "c": [None], "d": None}
    assert structural.check(schema, value) == []
    assert structural.prune(schema, value) is value


NAMES = st.sampled_from(
    ["metadata", "spec", "containers", "name", "labels", "resources", "limits", "env", "x", "data"]
)
LEAVES = st.sampled_from([None, True, 0, 2**70, 1.5, "", "a"])
JSON = st.recursive(
    LEAVES,
    lambda of: st.lists(of, max_size=3) | st.dictionaries(NAMES, of, max_size=4),
    max_leaves=20,
)
SCHEMAS = st.sampled_from([POD, CLAIM, GROUP, SECRET, CRD])


@settings(max_examples=100, deadline=None)
@given(schema=SCHEMAS, value=st.dictionaries(NAMES, JSON, min_size=1, max_size=4) | JSON)
def test_any_json_is_answered(schema: Schema, value: object) -> None:
    structural.check(schema, value)
    pruned = structural.prune(schema, value)
    assert structural.prune(schema, pruned) == pruned
    assert structural.unknown_fields(schema, pruned) == []


@settings(max_examples=40, deadline=None)
@given(case=st.sampled_from(VALID), junk=st.dictionaries(st.text(min_size=1), JSON, max_size=3))
def test_known_fields_survive(case: tuple[Schema, dict[str, Any]], junk: dict[str, Any]) -> None:
    schema, value = case
    unknown = {key: item for key, item in junk.items() if key not in schema.properties}
    spec_junk = {f"x{key}": item for key, item in junk.items()}
    mixed = {**value, **unknown, "spec": {**value["spec"], **spec_junk}}
    assert structural.prune(schema, mixed) == value
    assert structural.check(schema, mixed) == []
