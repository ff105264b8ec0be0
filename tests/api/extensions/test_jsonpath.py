"""Tests of the paths of columns."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from argosy.api.extensions.columns import columns_of
from argosy.api.extensions.definition import PrinterColumn
from argosy.api.extensions.jsonpath import ParseError, parse

OBJ: dict[str, Any] = {
    "metadata": {
        "name": "a",
        "labels": {"x.y/z": "v"},
        "creationTimestamp": "2026-01-01T00:00:00Z",
    },
    "spec": {
        "ports": [{"port": 80, "name": "a"}, {"port": 443, "name": "b"}],
        "on": True,
        "f": 1.5,
    },
    "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Old", "n": 2}]},
}


@pytest.mark.parametrize(
    "path, values",
    [
        (".metadata.name", ["a"]),
        (".metadata.labels.x\\.y/z", ["v"]),
        (".metadata.labels['x.y/z']", ["v"]),
        (".spec.ports[0].port", [80]),
        (".spec.ports[-1].port", [443]),
        (".spec.ports[5].port", []),
        (".spec.ports[*].port", [80, 443]),
        (".spec.ports[0,1].port", [80, 443]),
        (".spec.ports[1:].name", ["b"]),
        ('.status.conditions[?(@.type=="Ready")].status', ["True"]),
        ("..port", [80, 443]),
        ('.status.conditions[?(@.type != "Ready")].type', ["Old"]),
        (".status.conditions[?(@.n>1)].type", ["Old"]),
        (".status.conditions[?(@.n)].type", ["Old"]),
        (".spec.missing.deep", []),
        (".spec.on.deep", []),
        (".", [OBJ]),
    ],
)
def test_a_path_finds_what_it_leads_to(path: str, values: list[Any]) -> None:
    assert parse(path).find(OBJ) == values


@pytest.mark.parametrize("path", [".a[", ".a[x]", "a", ".a[?(@.b==c)]", ".a[::0]", "." * 5000])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ParseError):
        parse(path)


@pytest.mark.parametrize(
    "path", [".." * 90 + "a", "..*" * 30, ".a[?(@" + " " * 4000 + "]", ".a[?(@.b" + "[" * 2000]
)
def test_no_path_takes_long(path: str) -> None:
    """What grows as it shouldn't takes minutes here, and fails by the suite's limit on a test."""
    deep: Any = 1
    for _ in range(50):
        deep = {"a": deep, "b": [deep] * 2}
    with suppress(ParseError):
        assert len(parse(path).find(deep)) <= 1000


def test_cells_have_the_type_of_their_column() -> None:
    now = datetime(2026, 1, 1, 0, 0, 5, tzinfo=UTC)

    def cell(kind: str, path: str) -> Any:
        (_, column) = columns_of([PrinterColumn(name="c", type=kind, json_path=path)])
        assert column.show is not None
        return column.show(OBJ, now)

    assert cell("date", ".metadata.creationTimestamp") == "5s"
    assert cell("date", ".metadata.name") == "<invalid>"
    assert cell("integer", ".spec.f") == 1
    assert cell("integer", ".metadata.name") is None
    assert cell("boolean", ".spec.on") is True
    assert cell("string", ".spec.on") == "true"
    assert cell("string", ".spec.none") is None
    assert [item.name for item in columns_of([])] == ["Name", "Age"]
