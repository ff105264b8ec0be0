"""Rules that hold for many kinds."""

from typing import Any

import pytest

from argosy.api.validation.table import validate


def faults(kind: str) -> list[str]:
    meta = {"name": "it", "namespace": "default", "finalizers": ["mine", "orphan", "a.b/c"]}
    made: dict[str, Any] = {"metadata": meta, "spec": {}, "data": {}}
    found = validate(kind, made, None, namespaced=True)
    return [error.field for error in found if error.field.startswith("metadata.finalizers")]


@pytest.mark.parametrize("kind", ["ConfigMap", "Secret", "ServiceAccount", "PodTemplate"])
def test_finalizers_need_a_domain(kind: str) -> None:
    assert faults(kind) == ["metadata.finalizers[0]"]


@pytest.mark.parametrize("kind", ["Lease", "InferenceService"])
def test_finalizers_of_some_kinds_need_none(kind: str) -> None:
    assert faults(kind) == []
