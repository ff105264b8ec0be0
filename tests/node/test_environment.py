"""Variables: expansion, fields, ConfigMaps."""

from typing import Any

import msgspec
import pytest

from argosy.api.core import ConfigMap
from argosy.node.environment import config_maps, environment, expand, field_values
from argosy.node.refusal import Refusal
from tests.node.builders import container, pod_view


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("$(A)", "1"),
        ("x$(A)y$(B)z", "x1y2z"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("$(NONE)", "$(NONE)"),
        ("$(A", "$(A"),
        ("$A $", "$A $"),
        ("$($(A))", "$(1)"),
    ],
)
def test_expansion(text: str, value: str) -> None:
    assert expand(text, {"A": "1", "B": "2"}) == value


def variables(
    *env: dict[str, Any], maps: dict[str, ConfigMap | None] | None = None
) -> dict[str, str]:
    pod = pod_view(
        container("true", env=list(env)),
        meta={"labels": {"a/b": "l"}, "annotations": {"c": "n"}},
    )
    values = field_values(pod, pod_ip="127.64.0.2", host_ip="127.64.0.1")
    return environment(pod.spec.containers[0], pod, values, maps or {})


def field(path: str) -> dict[str, Any]:
    return {"name": "V", "valueFrom": {"fieldRef": {"fieldPath": path}}}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "p"),
        ("metadata.namespace", "default"),
        ("metadata.uid", "u1"),
        ("spec.nodeName", "here"),
        ("status.podIP", "127.64.0.2"),
        ("status.hostIP", "127.64.0.1"),
        ("metadata.labels['a/b']", "l"),
        ("metadata.labels['none']", ""),
        ("metadata.annotations['c']", "n"),
    ],
)
def test_fields(path: str, value: str) -> None:
    assert variables(field(path)) == {"V": value}


def test_values_see_those_before_them_only() -> None:
    env = [{"name": "A", "value": "1$(B)"}, {"name": "B", "value": "2$(A)"}]
    assert variables(*env) == {"A": "1$(B)", "B": "21$(B)"}


def key(name: str, key: str, *, optional: bool = False) -> dict[str, Any]:
    ref = {"name": name, "key": key, "optional": optional}
    return {"name": "V", "valueFrom": {"configMapKeyRef": ref}}


MAP = ConfigMap(data={"k": "$(A)"})


def test_config_maps_are_taken_as_they_are() -> None:
    assert variables(key("m", "k"), maps={"m": MAP}) == {"V": "$(A)"}
    assert variables(key("m", "x", optional=True), maps={"m": MAP}) == {}
    assert variables(key("m", "x", optional=True), maps={"m": None}) == {}
    spec = msgspec.convert(
        container("x", env=[key("m", "k")]), type=type(pod_view(container("x")).spec.containers[0])
    )
    assert config_maps(spec) == {"m"}


@pytest.mark.parametrize(
    ("maps", "text"),
    [({"m": None}, 'configmap "m" not found'), ({"m": MAP}, "couldn't find key x")],
)
def test_what_is_missing_is_named(maps: dict[str, ConfigMap | None], text: str) -> None:
    with pytest.raises(Refusal, match=text) as refused:
        variables(key("m", "x"), maps=maps)
    assert refused.value.reason == "CreateContainerConfigError"
