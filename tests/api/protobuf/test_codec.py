"""Whole bodies: envelopes, lists, watch frames, and what a stranger may send."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from argosy.api.protobuf import table
from argosy.api.protobuf.codec import MEDIA_TYPE, load
from argosy.api.protobuf.wire import ProtobufError, UnknownKindError
from tests.api.protobuf.anyobject import Objects
from tests.api.protobuf.wiremade import body, chunk, number

CODEC = load()
OBJECTS = Objects(table.load())

CONFIG_MAP: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "c", "creationTimestamp": "2026-01-01T00:00:00Z"},
    "data": {"k": "v"},
    "immutable": False,
}
RAW = (
    chunk(1, chunk(1, "c") + chunk(8, number(1, 1_767_225_600) + number(2, 0)))
    + chunk(2, chunk(1, "k") + chunk(2, "v"))
    + number(4, 0)
)
BODY = body("v1", "ConfigMap", RAW)
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p", "labels": {"a": "b"}},
    "spec": {
        "containers": [
            {
                "name": "c",
                "image": "i",
                "ports": [{"containerPort": 80}],
                "resources": {"limits": {"cpu": "1"}},
                "livenessProbe": {"httpGet": {"port": "http"}, "periodSeconds": 5},
            }
        ],
        "volumes": [{"name": "v", "emptyDir": {}}],
        "priority": -1,
        "securityContext": {"supplementalGroups": [1, 2]},
    },
    "status": {"conditions": [{"type": "Ready", "lastTransitionTime": "2026-01-01T00:00:00Z"}]},
}
POD_BODY = CODEC.encode_object(POD)


def test_a_body_both_ways() -> None:
    assert CODEC.encode_object(CONFIG_MAP) == BODY
    assert CODEC.decode_object(BODY) == CONFIG_MAP


def test_what_go_sends_for_an_empty_deployment() -> None:
    """Go writes every field that is no pointer; its JSON has only some of them."""
    meta = chunk(2, "") + chunk(3, "") + chunk(4, "") + chunk(5, "") + chunk(6, "") + number(7, 0)
    template = chunk(1, chunk(1, "") + meta + chunk(8, b"")) + chunk(
        2, chunk(3, "") + number(11, 0)
    )
    spec = number(1, 0) + chunk(3, template) + chunk(4, chunk(1, "")) + number(5, 0) + number(7, 0)
    status = number(1, 0) + number(2, 0)
    raw = chunk(1, chunk(1, "d") + meta + chunk(8, b"")) + chunk(2, spec) + chunk(3, status)
    assert CODEC.decode_object(body("apps/v1", "Deployment", raw)) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "spec": {"replicas": 0, "template": {"metadata": {}, "spec": {}}, "strategy": {}},
        "status": {},
    }


ENVELOPES = {
    "short": b"k8s\0" + chunk(1, chunk(1, "v1") + chunk(2, "ConfigMap")) + chunk(2, RAW),
    "turned round": b"k8s\0" + chunk(2, RAW) + chunk(1, chunk(2, "ConfigMap") + chunk(1, "v1")),
    "with its type": BODY[:-2] + chunk(4, MEDIA_TYPE),
    "with more": BODY + chunk(77, "x") + number(78, 1),
}


@pytest.mark.parametrize("sent", ENVELOPES.values(), ids=ENVELOPES)
def test_other_envelopes(sent: bytes) -> None:
    assert CODEC.decode_object(sent) == CONFIG_MAP


def test_an_envelope_that_looks_like_a_shorter_one() -> None:
    """133 is 0x85 0x01 on the wire: 0x85 bytes further there is an 0x12 too, and all else fits."""
    options = chunk(2, "DeleteOptions")
    rest = chunk(1, "a" * (133 - 2 - len(options) - 4)) + options
    types = rest + chunk(3, b"?\x12")
    assert len(types) == 133
    sent = b"k8s\0" + chunk(1, types) + chunk(2, chunk(4, "x" * 15)) + chunk(3, "") + chunk(4, "")
    assert sent[6 + 0x85 : 6 + 0x85 + 1] == b"\x12"
    assert CODEC.decode_object(sent)["propagationPolicy"] == "x" * 15


def test_a_body_that_tells_no_kind_is_of_the_default_one() -> None:
    raw = number(1, 30) + chunk(5, "All")
    expected = {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "gracePeriodSeconds": 30,
        "dryRun": ["All"],
    }
    for sent in (body("", "", raw), b"k8s\0" + chunk(2, raw)):
        assert CODEC.decode_object(sent, default=("v1", "DeleteOptions")) == expected
        with pytest.raises(UnknownKindError):
            CODEC.decode_object(sent)


def test_options_go_with_any_group() -> None:
    sent = body("example.com/v2", "DeleteOptions", chunk(4, "Orphan"))
    assert CODEC.decode_object(sent) == {
        "apiVersion": "example.com/v2",
        "kind": "DeleteOptions",
        "propagationPolicy": "Orphan",
    }


def test_unknown_fields_are_named() -> None:
    unknown: list[str] = []
    sent = body("v1", "ConfigMap", RAW + number(500, 1))
    assert CODEC.decode_object(sent, unknown=unknown) == CONFIG_MAP
    assert unknown == ["core.v1.ConfigMap.500"]


def test_status_and_metadata() -> None:
    status = {
        "apiVersion": "v1",
        "kind": "Status",
        "metadata": {},
        "status": "Failure",
        "code": 404,
    }
    raw = chunk(1, b"") + chunk(2, "Failure") + number(6, 404)
    assert CODEC.encode_object(status) == body("v1", "Status", raw)
    partial = {**CONFIG_MAP, "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata"}
    meta = CODEC.decode_object(CODEC.encode_object(partial))
    assert meta["metadata"] == CONFIG_MAP["metadata"]
    assert "data" not in meta


def test_what_it_knows() -> None:
    assert CODEC.knows("v1", "Pod")
    assert not CODEC.knows("meta.k8s.io/v1", "Table")
    assert not CODEC.knows("trainer.kubeflow.org/v1alpha1", "TrainJob")


LIST_META = chunk(1, chunk(2, "7"))


@pytest.mark.parametrize("item", [CONFIG_MAP, BODY, ENVELOPES["short"], ENVELOPES["with its type"]])
def test_lists_of_objects_and_of_bodies(item: dict[str, Any] | bytes) -> None:
    made = CODEC.encode_list("v1", "ConfigMapList", {"resourceVersion": "7"}, [item, item])
    assert made == body("v1", "ConfigMapList", LIST_META + chunk(2, RAW) + chunk(2, RAW))


def test_a_list_whose_items_have_another_number() -> None:
    version = "meta.k8s.io/v1beta1"
    partial = {"apiVersion": version, "kind": "PartialObjectMetadata", "metadata": {}}
    kind = (version, "PartialObjectMetadataList")
    items: list[dict[str, Any] | bytes] = [partial, CODEC.encode_object(partial)]
    made = CODEC.encode_list(*kind, {}, items)
    assert made == body(*kind, chunk(2, b"") + chunk(1, chunk(1, b"")) * 2)


def test_an_empty_list() -> None:
    assert CODEC.encode_list("v1", "PodList", {}, []) == body("v1", "PodList", chunk(1, b""))


@pytest.mark.parametrize(
    ("api_version", "kind"), [("v1", "Pod"), ("v1", "List"), ("a/v1", "BList")]
)
def test_what_is_no_list(api_version: str, kind: str) -> None:
    with pytest.raises(UnknownKindError):
        CODEC.encode_list(api_version, kind, {}, [])


@pytest.mark.parametrize("obj", [CONFIG_MAP, BODY])
def test_watch_frames(obj: dict[str, Any] | bytes) -> None:
    event = chunk(1, "ADDED") + chunk(2, chunk(1, BODY))
    assert CODEC.encode_watch_frame("ADDED", obj) == len(event).to_bytes(4, "big") + event


@pytest.mark.parametrize(
    "obj",
    [
        {},
        {"kind": "Pod"},
        {"apiVersion": "v1", "kind": 5},
        {"apiVersion": "v1", "kind": "Pod", "spec": []},
        {"apiVersion": "v1", "kind": "ConfigMap", "data": {"k": "\ud800"}},
        {"apiVersion": "\ud800", "kind": "DeleteOptions"},
    ],
)
def test_objects_without_a_body(obj: dict[str, Any]) -> None:
    with pytest.raises(ProtobufError):
        CODEC.encode_object(obj)


BAD = {
    "nothing": b"",
    "JSON": b'{"apiVersion":"v1","kind":"Pod"}',
    "only the magic": b"k8s\0",
    "other magic": b"k8t\0" + BODY[4:],
    "cut": BODY[:-10],
    "no kind": body("v1", "", b""),
    "no such kind": body("v1", "Nothing", b""),
    "a message that is no kind": body("v1", "Container", b""),
    "compressed": BODY[:-4] + chunk(3, "gzip") + chunk(4, ""),
    "JSON within": BODY[:-2] + chunk(4, "application/json"),
    "numbers for the kind": b"k8s\0" + chunk(1, number(1, 1)) + chunk(2, RAW),
    "a number for the object": b"k8s\0" + chunk(1, chunk(1, "v1")) + number(2, 1),
    "eight bytes for the kind": b"k8s\0" + chunk(1, b"\x09" + bytes(8)) + chunk(2, RAW),
    "a number for the encoding": BODY + number(3, 1),
    "no UTF-8 in the kind": b"k8s\0" + chunk(1, chunk(2, b"\xff")) + chunk(2, RAW),
    "no UTF-8 in a string": body("v1", "ConfigMap", chunk(1, chunk(1, b"\xff"))),
    "no UTF-8 in a key": body("v1", "ConfigMap", chunk(2, chunk(1, b"\xff"))),
    "a huge size": b"k8s\0\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
}


@pytest.mark.parametrize("sent", BAD.values(), ids=BAD)
def test_bad_bodies(sent: bytes) -> None:
    with pytest.raises(ProtobufError):
        CODEC.decode_object(sent)


@given(st.binary(max_size=200))
@settings(max_examples=100)
def test_any_bytes_are_an_object_or_an_error(raw: bytes) -> None:
    for sent in (raw, b"k8s\0" + raw, body("v1", "Pod", raw), body("v1", "ConfigMap", raw)):
        try:
            CODEC.decode_object(sent)
        except ProtobufError:
            pass


@given(st.integers(0, len(POD_BODY)), st.integers(0, 12), st.binary(max_size=12))
@settings(max_examples=200)
def test_a_body_with_any_part_replaced_is_an_object_or_an_error(
    at: int, gone: int, instead: bytes
) -> None:
    try:
        obj = CODEC.decode_object(POD_BODY[:at] + instead + POD_BODY[at + gone :])
    except ProtobufError:
        return
    assert CODEC.decode_object(CODEC.encode_object(obj)) == without_null(obj)


def without_null(value: Any) -> Any:
    """JSON's null, as of a time that is none, is not sent."""
    if isinstance(value, list):
        return [without_null(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: without_null(item) for key, item in value.items() if item is not None}


@pytest.mark.parametrize("size", range(0, len(POD_BODY) - 4))
def test_no_beginning_of_a_body_is_taken_for_the_whole(size: int) -> None:
    try:
        assert CODEC.decode_object(POD_BODY[:size]) != POD
    except ProtobufError:
        pass


KINDS = [
    ("v1", "Pod"),
    ("v1", "Secret"),
    ("v1", "Event"),
    ("v1", "Service"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "ControllerRevision"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("networking.k8s.io/v1", "Ingress"),
    ("resource.k8s.io/v1", "ResourceSlice"),
    ("authorization.k8s.io/v1", "SubjectAccessReview"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ("v1", "APIResourceList"),
]


@pytest.mark.parametrize(("api_version", "kind"), KINDS)
def test_objects_come_back(api_version: str, kind: str) -> None:
    @given(Objects.kind(OBJECTS, api_version, kind))
    @settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
    def check(obj: dict[str, Any]) -> None:
        sent = CODEC.encode_object(obj)
        assert CODEC.decode_object(sent) == obj

    check()
