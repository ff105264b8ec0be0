"""Tests of the order in which groups and versions stand."""

from argosy.api.registration import APIService, local_priorities, version_order
from argosy.api.resources.table import BUILT_IN


def test_versions_stand_as_kubernetes_has_them() -> None:
    wanted = ["v10", "v2", "v1", "v11beta2", "v10beta3", "v3beta1", "v12alpha1", "v11alpha2", "foo"]
    assert sorted(reversed(wanted), key=version_order, reverse=True) == wanted


def test_every_built_in_group_has_a_place() -> None:
    groups = {item.group for item in BUILT_IN} - {APIService.resource.group}
    assert not [group for group in groups if local_priorities(group, "v1")[0] == 1000]


def test_better_versions_have_higher_priorities() -> None:
    found = [
        local_priorities("apps", version)[1]
        for version in ("v2", "v1", "v1beta2", "v1beta1", "v1alpha3", "v1alpha1", "odd")
    ]
    assert found == sorted(found, reverse=True)
    assert all(0 < priority <= 1000 for priority in found)


def test_what_nobody_knows_stands_with_what_users_define() -> None:
    assert local_priorities("example.com", "v1") == (1000, 100)
