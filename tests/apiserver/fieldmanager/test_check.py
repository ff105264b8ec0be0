from typing import Any

import pytest

from argosy.apiserver.fieldmanager.check import MAX_DEPTH, check, without_nulls
from argosy.base.errors import StatusError
from tests.apiserver.fieldmanager.kinds import DEPLOYMENT, POD


def deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"foo": 1}, ".spec.foo: field not declared in schema"),
        ({"containers": {}}, ".spec.containers: expected list, got {}"),
        ({"nodeSelector": []}, ".spec.nodeSelector: expected map, got []"),
        ({"nodeName": {"a": 1}}, '.spec.nodeName: expected string, got {"a":1}'),
        (
            {"containers": [{"image": "x"}]},
            ".spec.containers: element 0: associative list with keys has an element that omits "
            'all key fields ["name"] (and doesn\'t have default values for any key fields)',
        ),
        (
            {"containers": ["x"]},
            ".spec.containers: element 0: associative list with keys may not have non-map elements",
        ),
        (
            {"containers": [{"name": "a"}, {"name": "b"}, {"name": "a"}]},
            '.spec.containers: duplicate entries for key [name="a"]',
        ),
        (
            {"containers": [{"name": "a", "ports": [{"containerPort": 1}] * 2}]},
            '.spec.containers[name="a"].ports: '
            'duplicate entries for key [containerPort=1,protocol="TCP"]',
        ),
        ({"tolerations": [{"x": 1}]}, ".spec.tolerations[0].x: field not declared in schema"),
        (
            {"a": 1, "b": 2},
            "errors:\n  .spec.a: field not declared in schema\n"
            "  .spec.b: field not declared in schema",
        ),
    ],
)
def test_names_the_field(spec: dict[str, Any], message: str) -> None:
    pod = {"metadata": {"name": "web", "namespace": "shop"}, "spec": spec}
    with pytest.raises(StatusError) as caught:
        check(pod, POD, "v1, Kind=Pod")
    assert caught.value.code == 400
    prefix = "failed to create typed patch object (shop/web; v1, Kind=Pod): "
    assert caught.value.message == prefix + message


def test_set_items_are_scalars() -> None:
    with pytest.raises(StatusError, match="finalizers: element 0: .* not a scalar"):
        check({"metadata": {"finalizers": [{}]}}, POD, "v1, Kind=Pod")


def test_bounds_the_nesting() -> None:
    check({"spec": {"config": deep(MAX_DEPTH - 3)}}, DEPLOYMENT, "")
    with pytest.raises(StatusError, match="nested too deeply"):
        check({"spec": {"config": deep(MAX_DEPTH)}}, DEPLOYMENT, "")


def test_nulls_are_left_out_where_the_form_is_known() -> None:
    patch = {
        "metadata": {"creationTimestamp": None, "name": "null"},
        "spec": {"config": {"a": None}, "template": {"spec": {"containers": [{"image": None}]}}},
    }
    assert without_nulls(patch, DEPLOYMENT) == {
        "metadata": {"name": "null"},
        "spec": {"config": {"a": None}, "template": {"spec": {"containers": [{}]}}},
    }
