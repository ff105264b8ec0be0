"""Tests of the catalogue: which resources a minor has, what is stored as what."""

import pytest

from argosy.api.builtin import load
from argosy.api.features import switches
from argosy.api.kinds import OWN, RESOURCES
from argosy.api.trainer import TrainJob
from argosy.apiserver.catalog import Catalog
from argosy.base.errors import StatusError

NEWEST = load()
ALL = "api/all=true"


def catalog(minor: str = "1.37", config: str = "") -> Catalog:
    definitions = NEWEST if minor == "1.37" else load(minor)
    chosen = switches(RESOURCES, minor, runtime_config=config)
    return Catalog(RESOURCES, OWN, definitions, chosen.serves)


def test_a_path_leads_to_its_resource_or_nowhere() -> None:
    known = catalog()
    deployment = known.find("apps", "v1", "deployments")
    assert (deployment.resource.kind, deployment.own, deployment.name) == (
        "Deployment",
        False,
        "Deployment",
    )
    for path in [("apps", "v2", "deployments"), ("", "v1", "deployments"), ("apps", "v1", "pods")]:
        with pytest.raises(StatusError, match="could not find the requested resource"):
            known.find(*path)


@pytest.mark.parametrize(
    "minor, config, group, versions",
    [
        ("1.37", "", "scheduling.k8s.io", ["v1", "v1beta1"]),
        ("1.37", ALL, "scheduling.k8s.io", ["v1", "v1beta1", "v1alpha3"]),
        ("1.36", ALL, "scheduling.k8s.io", ["v1"]),
        ("1.37", ALL, "resource.k8s.io", ["v1", "v1beta2", "v1alpha3"]),
        ("1.33", "", "resource.k8s.io", None),
        ("1.33", ALL, "resource.k8s.io", ["v1beta2", "v1alpha3"]),
        ("1.28", "", "flowcontrol.apiserver.k8s.io", ["v1beta3"]),
        ("1.30", "", "flowcontrol.apiserver.k8s.io", ["v1", "v1beta3"]),
        ("1.37", ALL, "flowcontrol.apiserver.k8s.io", ["v1"]),
        ("1.36", ALL, "certificates.k8s.io", ["v1"]),
        ("1.36", "", "lifecycle.k8s.io", None),
        ("1.25", "", "apps", ["v1"]),
    ],
)
def test_a_minor_has_its_own_versions(
    minor: str, config: str, group: str, versions: list[str] | None
) -> None:
    assert catalog(minor, config).groups().get(group) == versions


@pytest.mark.parametrize(
    "minor, group, version, plural, stored",
    [
        ("1.37", "apps", "v1", "deployments", "apps/v1"),
        ("1.37", "events.k8s.io", "v1", "events", "v1"),
        ("1.37", "scheduling.k8s.io", "v1alpha3", "podgroups", "scheduling.k8s.io/v1beta1"),
        ("1.37", "resource.k8s.io", "v1beta2", "resourceclaims", "resource.k8s.io/v1"),
        ("1.33", "resource.k8s.io", "v1beta2", "resourceclaims", "resource.k8s.io/v1"),
        ("1.32", "networking.k8s.io", "v1beta1", "ipaddresses", "networking.k8s.io/v1"),
        ("1.33", "networking.k8s.io", "v1beta1", "ipaddresses", "networking.k8s.io/v1"),
    ],
)
def test_versions_of_a_kind_are_stored_as_one(
    minor: str, group: str, version: str, plural: str, stored: str
) -> None:
    served = catalog(minor, ALL).find(group, version, plural)
    assert served.storage.api_version == stored
    assert served.storage.key() == served.resource.key()


def test_the_storage_version_stays_when_it_is_not_served() -> None:
    config = "scheduling.k8s.io/v1alpha3=true,scheduling.k8s.io/v1beta1=false"
    known = catalog(config=config)
    assert known.find("scheduling.k8s.io", "v1alpha3", "podgroups").storage.version == "v1beta1"
    assert "scheduling.k8s.io/v1alpha3" in {resource.api_version for resource in known.stored}


def test_each_stored_kind_is_told_once_and_in_its_preferred_version() -> None:
    stored = catalog(config=ALL).stored
    assert len({resource.key() for resource in stored}) == len(stored)
    versions = {resource.plural: resource.api_version for resource in stored}
    assert versions["podgroups"] == "scheduling.k8s.io/v1beta1"
    assert versions["events"] == "v1"
    assert versions["trainjobs"] == TrainJob.resource.api_version


def test_rules_know_a_kind_by_name_but_for_namesakes() -> None:
    known = catalog(config=ALL)
    names = {(item.resource.api_version, item.resource.kind): item.name for item in known.all}
    assert names["v1", "Event"] == "Event"
    assert names["events.k8s.io/v1", "Event"] == "Event.events.k8s.io"
    assert names["scheduling.k8s.io/v1alpha3", "PodGroup"] == "PodGroup"


def test_own_kinds_are_own() -> None:
    job = catalog().find("trainer.kubeflow.org", "v1alpha1", "trainjobs")
    assert job.own and "runtimeRef" in job.schema.properties["spec"].properties
