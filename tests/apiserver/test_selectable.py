"""Which fields a selector may name."""

import pytest

from argosy.apiserver.selectable import FIELDS, selectable
from argosy.base.errors import StatusError
from argosy.base.selectors import parse_fields


@pytest.mark.parametrize("kind", [*FIELDS, "ConfigMap", "TrainJob", "Unheard"])
@pytest.mark.parametrize("field", ["metadata.name", "metadata.namespace"])
def test_names_select_everywhere(kind: str, field: str) -> None:
    selector = parse_fields(f"{field}=a")

    assert selectable(kind, selector) == selector


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("Pod", "spec.nodeName"),
        ("Pod", "status.phase"),
        ("Node", "spec.unschedulable"),
        ("Event", "involvedObject.uid"),
        ("ResourceSlice", "spec.driver"),
        ("Namespace", "status.phase"),
    ],
)
def test_kinds_have_their_own(kind: str, field: str) -> None:
    assert selectable(kind, parse_fields(f"{field}=a")).terms
    with pytest.raises(StatusError, match=f"^field label not supported: {field}$") as caught:
        selectable("ConfigMap", parse_fields(f"{field}=a"))
    assert caught.value.code == 400


@pytest.mark.parametrize(
    ("selector", "spec", "matches"),
    [
        ("spec.unschedulable=false", {}, True),
        ("spec.unschedulable=false", {"unschedulable": False}, True),
        ("spec.unschedulable=false", {"unschedulable": True}, False),
        ("spec.unschedulable!=false", {}, False),
        ("spec.unschedulable!=false", {"unschedulable": True}, True),
        ("spec.unschedulable=true", {}, False),
        ("spec.unschedulable!=true", {}, True),
    ],
)
def test_what_is_absent_is_false(selector: str, spec: dict[str, bool], matches: bool) -> None:
    found = selectable("Node", parse_fields(selector))

    assert found.matches({"metadata": {"name": "n"}, "spec": spec}) is matches
