"""Tests of the table of resources: what it says is what the definitions of all minors say."""

from collections import Counter, defaultdict
from functools import cache
from itertools import combinations
from typing import Any

import pytest

from argosy.api import core, dra, scheduling, storage
from argosy.api.builtin import REFERENCE, Builtins, load, minors
from argosy.api.columns.computed import COMPUTED
from argosy.api.kinds import OWN, PREFERRED, RESOURCES, RuntimeClass
from argosy.api.meta import Object
from argosy.api.resource import VERBS, Resource
from argosy.api.resources.control import NEW_EVENT
from argosy.api.resources.core import EVENT
from argosy.api.resources.table import BUILT_IN
from argosy.api.schema import Schema
from argosy.apiserver.conversion import SHAPES

VIEWS: tuple[type[Object], ...] = (
    core.ConfigMap,
    core.Event,
    core.Namespace,
    core.Node,
    core.Pod,
    core.Service,
    dra.DeviceClass,
    dra.ResourceClaim,
    dra.ResourceClaimTemplate,
    dra.ResourceSlice,
    RuntimeClass,
    scheduling.PodGroup,
    storage.PersistentVolume,
    storage.PersistentVolumeClaim,
    storage.StorageClass,
    *OWN,
)
LEFT_OUT = {
    # never stored
    "APIGroup",
    "APIVersions",
    "Scale",
    "Status",
    "TokenRequest",
}
OTHER_SHAPE = {
    "certificates.k8s.io/v1beta1/PodCertificateRequest",
    "policy/v1/Eviction",  # a subresource
    "resource.k8s.io/v1beta1/DeviceClass",
    "resource.k8s.io/v1beta1/ResourceClaim",
    "resource.k8s.io/v1beta1/ResourceClaimTemplate",
    "resource.k8s.io/v1beta1/ResourceSlice",
}
ON = """
v1 apps/v1 autoscaling/v2 autoscaling/v1 batch/v1 policy/v1 discovery.k8s.io/v1 networking.k8s.io/v1
storage.k8s.io/v1 storagemigration.k8s.io/v1 rbac.authorization.k8s.io/v1 certificates.k8s.io/v1
admissionregistration.k8s.io/v1 node.k8s.io/v1 resource.k8s.io/v1 scheduling.k8s.io/v1
scheduling.k8s.io/v1beta1 lifecycle.k8s.io/v1alpha1 coordination.k8s.io/v1 events.k8s.io/v1
flowcontrol.apiserver.k8s.io/v1 authentication.k8s.io/v1 authorization.k8s.io/v1
apiextensions.k8s.io/v1 apiregistration.k8s.io/v1
"""


@cache
def definitions(minor: str = "1.37") -> Builtins:
    return load(minor)


def ident(resource: Resource) -> str:
    return f"{resource.group}/{resource.version}/{resource.kind}"


def name_in(minor: str, resource: Resource) -> str:
    """The resource's definition in `minor`; empty where it has none."""
    try:
        return definitions(minor).name_of(resource.group, resource.version, resource.kind)
    except KeyError:
        return ""


@pytest.mark.parametrize("resource", BUILT_IN, ids=ident)
def test_each_entry_is_a_kind_of_some_minor(resource: Resource) -> None:
    found = {name for minor in minors() if (name := name_in(minor, resource))}
    assert found == {resource.definition}


def test_each_entry_is_there_once() -> None:
    assert max(Counter((r.group, r.version, r.plural) for r in RESOURCES).values()) == 1
    assert all(set(r.verbs) <= set(VERBS) and r.columns for r in RESOURCES)


def test_every_kind_of_the_newest_minor_is_in_the_table_or_left_out_for_a_reason() -> None:
    known = {ident(resource) for resource in BUILT_IN} | OTHER_SHAPE
    names = definitions()._archive.kinds
    missing = {name for name in names if not name.endswith("List") and name not in known}
    assert {name.rpartition("/")[2] for name in missing} == LEFT_OUT
    assert OTHER_SHAPE <= set(names)


def test_what_is_on_is_what_upstream_serves_and_what_gangs_and_evictions_need() -> None:
    served = {r.api_version for r in BUILT_IN if r.on and r.definition in definitions()}
    assert served == set(ON.split())


def test_views_and_table_speak_of_the_same() -> None:
    for view in VIEWS:
        assert any(view.resource is resource for resource in RESOURCES), view
        assert PREFERRED[view.resource.kind] is view.resource


def shape(known: Builtins, name: str) -> Any:
    """A definition written out, without what is no matter of form."""

    def plain(node: Any, above: tuple[str, ...]) -> Any:
        if isinstance(node, list):
            return [plain(item, above) for item in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            target = node["$ref"].removeprefix(REFERENCE)
            if target in above:
                return "above"
            return plain(known.raw(target), (*above, target))
        kept = (item for item in node.items() if not item[0].startswith("x-kubernetes-"))
        return {key: plain(value, above) for key, value in kept}

    return plain(known.raw(name), (name,))


def families() -> list[list[Resource]]:
    found: defaultdict[tuple[str, str], list[Resource]] = defaultdict(list)
    for resource in BUILT_IN:
        found[resource.group, resource.plural].append(resource)
    converted = set(SHAPES)
    return [
        versions
        for versions in found.values()
        if len(versions) > 1 and versions[0].key() not in converted
    ]


@pytest.mark.parametrize("versions", families(), ids=lambda versions: versions[0].qualified)
def test_versions_of_a_kind_are_of_one_shape(versions: list[Resource]) -> None:
    for minor in minors():
        names = [name for version in versions if (name := name_in(minor, version))]
        for one, other in combinations(names, 2):
            assert shape(definitions(minor), one) == shape(definitions(minor), other), minor


def test_events_are_stored_once() -> None:
    assert NEW_EVENT.key("default", "it") == EVENT.key("default", "it") == "//events/default/it"
    assert {r.key() for r in BUILT_IN if r.plural == "events"} == {"//events/"}


def leads_somewhere(schema: Schema, path: list[str]) -> bool:
    if not path:
        return True
    if schema.values is not None:
        return leads_somewhere(schema.values, path[1:])
    below = schema.properties.get(path[0])
    return below is not None and leads_somewhere(below, path[1:])


@pytest.mark.parametrize("resource", BUILT_IN, ids=ident)
def test_each_column_is_computed_or_a_field(resource: Resource) -> None:
    if resource.definition not in definitions():
        return  # an older minor's
    schema = definitions()(resource.definition)
    for column in resource.columns:
        if column.path not in COMPUTED and resource is not NEW_EVENT:
            assert leads_somewhere(schema, column.path.split(".")), column


def test_no_computed_column_is_left_over() -> None:
    used = {column.path for resource in RESOURCES for column in resource.columns}
    assert set(COMPUTED) <= used
