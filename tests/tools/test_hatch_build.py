"""Tests of how definitions are made compact for the wheel."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    path = Path(__file__).parents[2] / "tools" / "hatch_build.py"
    spec = importlib.util.spec_from_file_location("hatch_build", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


NODE = {
    "description": "A thing.",
    "type": ["object", "null"],
    "properties": {
        "kind": {"type": ["string", "null"], "enum": ["Thing"], "description": "Its kind."},
        "part": {"$ref": "#/$defs/a.Part"},
        "parts": {"type": ["array", "null"], "items": {"$ref": "#/$defs/a.Part"}},
        "labels": {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
        "amount": {"oneOf": [{"type": ["string", "null"]}, {"type": ["number", "null"]}]},
    },
    "x-kubernetes-group-version-kind": [{"group": "g", "version": "v1", "kind": "Thing"}],
}


def test_compact_is_openapi_without_prose(hook: ModuleType) -> None:
    part = {"$ref": "#/components/schemas/a.Part"}
    assert hook.compact(NODE) == {
        "type": "object",
        "properties": {
            "kind": {"type": "string"},
            "part": part,
            "parts": {"type": "array", "items": part},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "amount": {"oneOf": [{"type": "string"}, {"type": "number"}]},
        },
        "x-kubernetes-group-version-kind": [{"group": "g", "version": "v1", "kind": "Thing"}],
    }


def test_prose_is_kept_apart(hook: ModuleType) -> None:
    assert hook.descriptions(NODE) == ["A thing.", {"kind": "Its kind."}]


def test_kinds_are_those_of_one_group(hook: ModuleType) -> None:
    options = {"x-kubernetes-group-version-kind": [{"group": "a"}, {"group": "b"}]}
    assert hook.kinds({"a.Thing": NODE, "a.Options": options}) == {"g/v1/Thing": "a.Thing"}


def test_all_releases_of_the_library_are_found(hook: ModuleType) -> None:
    minors = [minor for minor, _ in hook.releases()]
    assert minors[0] == "1.25" and minors[-1] == "1.37" and len(minors) == 13
