"""Who owns a pod's claims, by policy and by what is there."""

from typing import Any

import msgspec
import pytest

from argosy.api.core import Pod
from argosy.api.meta import owned
from argosy.api.statefulsets import StatefulSet
from argosy.api.storage import PersistentVolumeClaim
from argosy.controllers.statefulsets import retention

Json = dict[str, Any]
POD = msgspec.convert({"metadata": {"name": "web-1", "uid": "pod"}}, Pod)


def owner(deleted: str, scaled: str, replicas: int = 2) -> StatefulSet:
    policy = {"whenDeleted": deleted, "whenScaled": scaled}
    spec = {"replicas": replicas, "persistentVolumeClaimRetentionPolicy": policy}
    return msgspec.convert({"metadata": {"name": "web", "uid": "set"}, "spec": spec}, StatefulSet)


SET_REF = owned(owner("Retain", "Retain"))
POD_REF = owned(POD)
LOOSE = {**SET_REF, "controller": False}
OLD_SET, OLD_POD = {**SET_REF, "uid": "earlier"}, {**POD_REF, "uid": "earlier"}
OTHER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": "other"}
BOSS = {**OTHER, "controller": True}


def claim(*references: Json) -> PersistentVolumeClaim:
    meta = {"name": "data-web-1", "ownerReferences": list(references)}
    return msgspec.convert({"metadata": meta}, PersistentVolumeClaim)


@pytest.mark.parametrize(
    ("policy", "replicas", "there", "shall"),
    [
        (("Retain", "Retain"), 2, [], None),
        (("Retain", "Retain"), 2, [SET_REF, OTHER], ["other"]),
        (("Retain", "Retain"), 1, [POD_REF], []),
        (("Retain", "Retain"), 2, [BOSS], None),
        (("Delete", "Retain"), 2, [], ["set"]),
        (("Delete", "Retain"), 1, [], ["set"]),
        (("Delete", "Retain"), 2, [SET_REF], None),
        (("Delete", "Retain"), 2, [LOOSE], ["set"]),
        (("Delete", "Retain"), 2, [OTHER], ["other", "set"]),
        (("Retain", "Delete"), 2, [], None),
        (("Retain", "Delete"), 1, [], ["pod"]),
        (("Retain", "Delete"), 2, [POD_REF], []),
        (("Delete", "Delete"), 2, [POD_REF], ["set"]),
        (("Delete", "Delete"), 1, [SET_REF], ["pod"]),
        (("Delete", "Delete"), 2, [OLD_SET], None),
        (("Delete", "Delete"), 2, [OLD_POD], None),
        (("Delete", "Delete"), 2, [BOSS], None),
        (("Delete", "Delete"), 2, [BOSS, LOOSE], ["other"]),
    ],
)
def test_references(
    policy: tuple[str, str], replicas: int, there: list[Json], shall: list[str] | None
) -> None:
    found = retention.references(owner(*policy, replicas), POD, claim(*there))
    assert (None if found is None else [ref.uid for ref in found]) == shall


@pytest.mark.parametrize(
    ("there", "expected"), [([], False), ([POD_REF], False), ([OLD_POD], True), ([OTHER], False)]
)
def test_stale(there: list[Json], expected: bool) -> None:
    assert retention.stale(claim(*there), "web-1", "pod") is expected


@pytest.mark.parametrize(
    ("there", "expected"), [([BOSS], True), ([OTHER], False), ([SET_REF], False), ([OLD_POD], True)]
)
def test_conflicting(there: list[Json], expected: bool) -> None:
    assert retention.conflicting(owner("Delete", "Retain"), POD, claim(*there)) is expected
    assert not retention.conflicting(owner("Retain", "Retain"), POD, claim(*there))
