"""Tests of feature gates and of `--runtime-config`: who serves what, in which minor."""

import pytest

from argosy.api.features import (
    parse_emulated_version,
    parse_gates,
    parse_runtime_config,
    switches,
)
from argosy.api.gates import names
from argosy.api.kinds import PREFERRED, RESOURCES
from argosy.api.resource import Resource

FIND = {(item.api_version, item.kind): item for item in RESOURCES}
DEPLOYMENT = FIND["apps/v1", "Deployment"]
OLD_GROUP = FIND["scheduling.k8s.io/v1alpha3", "PodGroup"]
GROUP = FIND["scheduling.k8s.io/v1beta1", "PodGroup"]
WORKLOAD = FIND["scheduling.k8s.io/v1beta1", "Workload"]
COMPOSITE = FIND["scheduling.k8s.io/v1alpha3", "CompositePodGroup"]
MIGRATION = FIND["storagemigration.k8s.io/v1", "StorageVersionMigration"]


def serves(resource: Resource, gates: str = "", config: str = "", minor: str = "1.37") -> bool:
    chosen = switches(RESOURCES, minor, feature_gates=gates, runtime_config=config)
    return chosen.serves(resource)


@pytest.mark.parametrize(
    "resource, gates, config, served",
    [
        (DEPLOYMENT, "", "", True),
        (DEPLOYMENT, "", "apps/v1=false", False),
        (DEPLOYMENT, "", "api/ga=false", False),
        (DEPLOYMENT, "", "api/all=false,apps/v1=true", True),
        (DEPLOYMENT, "", "apps/v1=false,apps/v1/deployments=true", True),
        (DEPLOYMENT, "", "apps/v1/deployments=false", False),
        (DEPLOYMENT, "", "apps/v1/jobs=false", True),
        (DEPLOYMENT, "", "api/all=false,api/ga=true", True),
        (DEPLOYMENT, "", "api/beta=false,api/alpha=false", True),
        (GROUP, "", "", True),
        (GROUP, "", "api/beta=false", False),
        (GROUP, "GenericWorkload=false", "", False),
        (GROUP, "AllBeta=false", "", False),
        (GROUP, "AllBeta=false,GenericWorkload=true", "", True),
        (OLD_GROUP, "", "", False),
        (OLD_GROUP, "", "api/alpha=true", True),
        (OLD_GROUP, "", "scheduling.k8s.io/v1alpha3", True),
        (OLD_GROUP, "", "scheduling.k8s.io/v1alpha3=1", True),
        (OLD_GROUP, "", "scheduling.k8s.io/v1alpha3/podgroups=true", True),
        (OLD_GROUP, "GenericWorkload=false", "api/all=true", False),
        (WORKLOAD, "", "scheduling.k8s.io/v1beta1/podgroups=false", True),
        (COMPOSITE, "", "api/all=true", False),
        (
            COMPOSITE,
            "CompositePodGroup=true,TopologyAwareWorkloadScheduling=1",
            "api/all=true",
            True,
        ),
        (COMPOSITE, "AllAlpha=true", "api/all=true", True),
        (MIGRATION, "", "", True),
        (PREFERRED["ConfigMap"], "", "/v1/configmaps=false", False),
    ],
)
def test_what_counts_more(resource: Resource, gates: str, config: str, served: bool) -> None:
    assert serves(resource, gates, config) is served


def test_options_are_read_with_blanks_and_without() -> None:
    assert parse_gates("") == parse_gates(",") == {}
    assert parse_gates(" kube:GenericWorkload = False ,AllAlpha=t,") == {
        "GenericWorkload": False,
        "AllAlpha": True,
    }
    assert parse_runtime_config("api/all=true, apps/v1 = false ,batch/v1/jobs") == {
        "api/all": True,
        "apps/v1": False,
        "batch/v1/jobs": True,
    }


@pytest.mark.parametrize(
    "gates, config, words",
    [
        ("GenericWorkload", "", "missing bool value for GenericWorkload"),
        ("GenericWorkload=maybe", "", "invalid value of GenericWorkload=maybe, err: strconv"),
        ("NoSuchGate=true", "", "unrecognized feature gate: NoSuchGate"),
        ("wardle:GenericWorkload=true", "", "component not registered: wardle"),
        ("JobManagedBy=false", "", "cannot set feature gate JobManagedBy to false, feature is"),
        ("JobManagedBy=false,EnvFiles=0,DRAAdminAccess=0", "", r"\[cannot .*, cannot .*\]"),
        ("", "apps=true", "runtime-config invalid key apps"),
        ("", "apps/v1/a/b=true", "runtime-config invalid key apps/v1/a/b"),
        ("", "v1=true", "runtime-config invalid key v1"),
        ("", "api/legacy=false", "unknown api groups api/legacy"),
        ("", "apps/v1=yes", "invalid value of apps/v1: yes, err: strconv.ParseBool"),
        ("", "api/all=1", "invalid value api/all=1"),
        ("", "api/all=false", "invalid runtime-config with only api/all=false"),
        ("", "example.com/v1=true", "unknown api groups example.com/v1"),
        ("", "apps/v2=true", "group version apps/v2 that has not been registered"),
        ("", "apps/v1/Deployments=true", "always lowercase plural"),
        (
            "CompositePodGroup=true,TopologyAwareWorkloadScheduling=true",
            "",
            "needs compositepodgroups.scheduling.k8s.io",
        ),
        ("GenericWorkload=true", "api/beta=false", "needs podgroups.scheduling.k8s.io, workloads"),
    ],
)
def test_what_is_wrong_is_said(gates: str, config: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        serves(DEPLOYMENT, gates, config)


def test_every_gate_of_a_resource_is_known() -> None:
    assert {resource.gate for resource in RESOURCES} - {""} <= set(names())


@pytest.mark.parametrize("text", ["1.36", "v1.36", "kube=1.36", " kube = 1.36 ", "1.36.0"])
def test_a_minor_is_named(text: str) -> None:
    assert parse_emulated_version(text, ["1.36", "1.37"]) == "1.36"


@pytest.mark.parametrize(
    "text, words",
    [
        ("1.20", "emulation version 1.20 is not one of 1.36, 1.37"),
        ("1.36.1", "patch version not allowed, got: kube=1.36.1"),
        ("wardle=1.36", "component not registered: wardle"),
        ("", "could not parse '' as version"),
        ("new", "could not parse 'new' as version"),
        ("1.²", "could not parse '1.²' as version"),
        ("1." + "3" * 100, "could not parse"),
    ],
)
def test_a_minor_that_is_none_is_refused(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_emulated_version(text, ["1.36", "1.37"])
