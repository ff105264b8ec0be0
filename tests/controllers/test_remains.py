"""The conditions of a namespace that is going, in Kubernetes' words."""

from argosy.api.core import ConfigMap, Pod
from argosy.api.kinds import PREFERRED
from argosy.base.errors import StatusError
from argosy.controllers.ownership import Trace
from argosy.controllers.remains import FINE, Remains, told

NOW, LATER = "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"


def said(remains: Remains) -> dict[str, tuple[str, str, str]]:
    return {item.type: (item.status, item.reason, item.message) for item in remains.conditions}


def test_nothing_is_left() -> None:
    assert said(Remains()) == {
        "NamespaceDeletionDiscoveryFailure": (
            "False",
            "ResourcesDiscovered",
            "All resources successfully discovered",
        ),
        "NamespaceDeletionGroupVersionParsingFailure": (
            "False",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        "NamespaceDeletionContentFailure": (
            "False",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
        "NamespaceContentRemaining": (
            "False",
            "ContentRemoved",
            "All content successfully removed",
        ),
        "NamespaceFinalizersRemaining": (
            "False",
            "ContentHasNoFinalizers",
            "All content-preserving finalizers finished",
        ),
    }


def test_what_is_left_is_counted() -> None:
    remains = Remains()
    remains.add(PREFERRED["Deployment"], [Trace(finalizers=("a.b/c",))])
    remains.add(ConfigMap.resource, [Trace(finalizers=("a.b/c", "d.e/f")), Trace()])
    remains.add(Pod.resource, [])
    assert said(remains)["NamespaceContentRemaining"] == (
        "True",
        "SomeResourcesRemain",
        "Some resources are remaining: configmaps. has 2 resource instances, "
        "deployments.apps has 1 resource instances",
    )
    assert said(remains)["NamespaceFinalizersRemaining"] == (
        "True",
        "SomeFinalizersRemain",
        "Some content in the namespace has finalizers remaining: a.b/c in 2 resource instances, "
        "d.e/f in 1 resource instances",
    )


def test_what_went_wrong_is_told() -> None:
    failures: list[Exception] = [StatusError(500, "x", "second"), StatusError(500, "x", "first")]
    assert said(Remains(failures=failures))["NamespaceDeletionContentFailure"] == (
        "True",
        "ContentDeletionFailed",
        "Failed to delete all resource types, 2 remaining: first, second",
    )


def test_times_move_with_the_status_alone() -> None:
    before = told((), Remains(), NOW)
    assert [item.type for item in before] == [item.type for item in FINE]
    assert told(before, Remains(), LATER) == before
    remains = Remains()
    remains.add(Pod.resource, [Trace()])
    after = told(before, remains, LATER)
    moved = [item.type for item in after if item.last_transition_time == LATER]
    assert moved == ["NamespaceContentRemaining"]
