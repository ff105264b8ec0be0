"""The table of numbers is whole, and its lines mean what they should."""

from collections import Counter

import pytest

from argosy.api.protobuf.scalars import SCALARS
from argosy.api.protobuf.special import SPECIAL
from argosy.api.protobuf.table import Field, load
from argosy.api.protobuf.wire import UnknownKindError
from argosy.api.resources.table import BUILT_IN

TABLE = load()


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ("core.v1.Pod", Field("spec", 2, "core.v1.PodSpec", "one", False)),
        ("core.v1.Pod", Field("metadata", 1, "meta.v1.ObjectMeta", "one", False)),
        ("core.v1.PodSpec", Field("containers", 2, "core.v1.Container", "list", False)),
        ("core.v1.PodSpec", Field("nodeName", 10, "string", "one", True)),
        ("core.v1.PodSpec", Field("nodeSelector", 7, "string", "map", False)),
        ("core.v1.Secret", Field("data", 2, "bytes", "map", False)),
        ("core.v1.Volume", Field("volumeSource", 2, "core.v1.VolumeSource", "inline", False)),
        ("apps.v1.DeploymentSpec", Field("replicas", 1, "int32", "one", False)),
        ("meta.v1.ObjectMeta", Field("creationTimestamp", 8, "meta.v1.Time", "one", True)),
        ("meta.v1.FieldsV1", Field("raw", 1, "json", "one", False)),
    ],
)
def test_a_line_taken_apart(message: str, field: Field) -> None:
    assert field in TABLE.fields(message)


def test_every_type_is_known_and_every_number_used_once() -> None:
    inline = 0
    for message in TABLE.lines:
        fields = TABLE.fields(message)
        numbers = [field.number for field in fields]
        assert numbers == sorted(set(numbers)), message
        assert max(Counter(field.name for field in fields).values(), default=1) == 1, message
        for field in fields:
            assert field.type in SCALARS or field.type in TABLE.lines, field
            inline += field.shape == "inline"
    assert inline == 27


def test_doubles_stand_alone() -> None:
    """The decoder takes them for rare, and knows no list and no map of them."""
    doubles = [
        field
        for message in TABLE.lines
        for field in TABLE.fields(message)
        if field.type == "double"
    ]
    assert len(doubles) == 6
    assert {(field.shape, field.drop_zero) for field in doubles} == {("one", False)}


def test_every_special_message_is_in_the_table() -> None:
    assert set(SPECIAL) <= set(TABLE.lines)


@pytest.mark.parametrize(
    ("api_version", "kind", "message"),
    [
        ("v1", "Pod", "core.v1.Pod"),
        ("v1", "PodList", "core.v1.PodList"),
        ("v1", "Status", "meta.v1.Status"),
        ("v1", "APIResourceList", "meta.v1.APIResourceList"),
        ("apps/v1", "Deployment", "apps.v1.Deployment"),
        ("rbac.authorization.k8s.io/v1", "ClusterRole", "rbac.v1.ClusterRole"),
        ("policy/v1", "Eviction", "policy.v1.Eviction"),
        ("authentication.k8s.io/v1", "TokenRequest", "authentication.v1.TokenRequest"),
        ("meta.k8s.io/v1", "PartialObjectMetadata", "meta.v1.PartialObjectMetadata"),
        ("meta.k8s.io/v1beta1", "PartialObjectMetadata", "meta.v1.PartialObjectMetadata"),
        (
            "meta.k8s.io/v1beta1",
            "PartialObjectMetadataList",
            "meta.v1beta1.PartialObjectMetadataList",
        ),
        ("v1", "DeleteOptions", "meta.v1.DeleteOptions"),
        ("apps/v1", "DeleteOptions", "meta.v1.DeleteOptions"),
        ("example.com/v1", "DeleteOptions", "meta.v1.DeleteOptions"),
    ],
)
def test_kinds(api_version: str, kind: str, message: str) -> None:
    assert TABLE.message_of(api_version, kind) == message


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("v1", "Container"),  # a message, but no kind
        ("v1", "Nothing"),
        ("", ""),
        ("example.com/v1", "Pod"),
        ("example.com/v1", "Status"),  # a custom kind may be called so
        ("meta.k8s.io/v1", "Table"),  # upstream has it in JSON only
        ("v1", "x" * 10_000),
    ],
)
def test_what_has_no_protobuf_form(api_version: str, kind: str) -> None:
    with pytest.raises(UnknownKindError, match="has no protobuf form") as caught:
        TABLE.message_of(api_version, kind)
    assert len(str(caught.value)) < 200


def test_every_kubernetes_kind_that_is_served_has_one() -> None:
    served = {(resource.api_version, resource.kind) for resource in BUILT_IN}
    assert served
    assert served - set(TABLE.kinds) == set()
