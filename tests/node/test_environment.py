"""Variables: expansion, fields, ConfigMaps."""

from typing import Any

import msgspec
import pytest

from argosy.api.core import ConfigMap, Secret
from argosy.node.environment import (
    Known,
    api_variables,
    config_maps,
    downward_value,
    environment,
    expand,
    field_values,
    secrets,
)
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
    *env: dict[str, Any],
    maps: dict[str, ConfigMap | None] | None = None,
    kept: dict[str, Secret | None] | None = None,
    env_from: tuple[dict[str, Any], ...] = (),
    given: dict[str, str] | None = None,
) -> dict[str, str]:
    pod = pod_view(
        container("true", env=list(env), envFrom=list(env_from)),
        meta={"labels": {"a/b": "l"}, "annotations": {"c": "n"}},
    )
    values = field_values(pod, pod_ip="127.64.0.2", host_ip="127.64.0.1")
    known = Known(maps or {}, kept or {})
    return environment(pod.spec.containers[0], pod, values, known, given)


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
SECRET = Secret(data={"k": "JChBKQ==", "l": "d29yZA=="})
BYTES = Secret(data={"k": "/w=="})


def secret_key(name: str, key: str, *, optional: bool = False) -> dict[str, Any]:
    ref = {"name": name, "key": key, "optional": optional}
    return {"name": "V", "valueFrom": {"secretKeyRef": ref}}


def test_secrets_are_taken_as_they_are() -> None:
    assert variables(secret_key("s", "l"), kept={"s": SECRET}) == {"V": "word"}
    assert variables(secret_key("s", "k"), kept={"s": SECRET}) == {"V": "$(A)"}
    assert variables(secret_key("s", "x", optional=True), kept={"s": SECRET}) == {}
    assert variables(secret_key("s", "x", optional=True), kept={"s": None}) == {}
    pod = pod_view(
        container("x", env=[secret_key("s", "l")], envFrom=[{"secretRef": {"name": "t"}}])
    )
    assert secrets(pod.spec.containers[0]) == {"s", "t"}
    assert "word" not in repr(Known({}, {"s": SECRET}))


def test_whole_objects_come_first_and_can_be_named() -> None:
    whole = (
        {"configMapRef": {"name": "m"}, "prefix": "M_"},
        {"secretRef": {"name": "s"}},
        {"secretRef": {"name": "none", "optional": True}},
        {"configMapRef": {"name": "none", "optional": True}},
    )
    own = [{"name": "l", "value": "own"}, {"name": "B", "value": "$(M_k) $(l) $(G)"}]
    found = variables(
        *own, maps={"m": MAP}, kept={"s": SECRET}, env_from=whole, given={"G": "g", "l": "x"}
    )
    assert found == {"G": "g", "M_k": "$(A)", "k": "$(A)", "l": "own", "B": "$(A) own g"}


@pytest.mark.parametrize(
    ("whole", "text"),
    [
        ({"configMapRef": {"name": "m"}}, 'configmap "m" not found'),
        ({"secretRef": {"name": "s"}}, 'secret "s" not found'),
        ({"secretRef": {"name": "bytes"}}, 'key k of secret "bytes" is no text'),
    ],
)
def test_whole_objects_that_are_not_there(whole: dict[str, Any], text: str) -> None:
    with pytest.raises(Refusal, match=text):
        variables(env_from=(whole,), kept={"bytes": BYTES})


@pytest.mark.parametrize(
    ("kept", "text"),
    [
        ({"s": None}, '^secret "s" not found'),
        ({"s": SECRET}, "^couldn't find key x in Secret default/s"),
    ],
)
def test_secrets_that_are_missing_are_named(kept: dict[str, Secret | None], text: str) -> None:
    with pytest.raises(Refusal, match=text) as refused:
        variables(secret_key("s", "x"), kept=kept)
    assert refused.value.reason == "CreateContainerConfigError"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.labels", 'a="1"\nb="x\\"y"'),
        ("metadata.annotations", ""),
        ("metadata.labels['a']", "1"),
        ("metadata.name", "p"),
        ("metadata.uid", "u1"),
        ("spec.nodeName", None),
    ],
)
def test_fields_as_files(path: str, value: str | None) -> None:
    pod = pod_view(container("true"), meta={"labels": {"b": 'x"y', "a": "1"}})
    assert downward_value(path, pod) == value


@pytest.mark.parametrize(
    ("url", "host", "shown"),
    [
        ("https://127.0.0.1:6443", "127.0.0.1", "tcp://127.0.0.1:6443"),
        ("https://[::1]:6443", "::1", "tcp://[::1]:6443"),
    ],
)
def test_where_the_server_is(url: str, host: str, shown: str) -> None:
    assert api_variables(url) == {
        "KUBERNETES_SERVICE_HOST": host,
        "KUBERNETES_SERVICE_PORT": "6443",
        "KUBERNETES_SERVICE_PORT_HTTPS": "6443",
        "KUBERNETES_PORT": shown,
        "KUBERNETES_PORT_6443_TCP": shown,
        "KUBERNETES_PORT_6443_TCP_PROTO": "tcp",
        "KUBERNETES_PORT_6443_TCP_PORT": "6443",
        "KUBERNETES_PORT_6443_TCP_ADDR": host,
    }


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
