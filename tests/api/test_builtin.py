"""Tests of the built-in definitions, of every minor that this build carries."""

import pytest

from argosy.api import builtin

META = "io.k8s.apimachinery.pkg.apis.meta.v1."
CORE = "io.k8s.api.core.v1."


@pytest.fixture(scope="module")
def definitions() -> builtin.Builtins:
    return builtin.load()


@pytest.mark.parametrize(
    "group, version, kind, name",
    [
        ("", "v1", "Pod", "io.k8s.api.core.v1.Pod"),
        ("resource.k8s.io", "v1", "ResourceClaim", "io.k8s.api.resource.v1.ResourceClaim"),
        (
            "scheduling.k8s.io",
            "v1beta1",
            "PodGroup",
            "io.k8s.api.scheduling.v1beta1.PodGroup",
        ),
    ],
)
def test_kinds_are_found_by_group_and_version(
    definitions: builtin.Builtins, group: str, version: str, kind: str, name: str
) -> None:
    assert definitions.name_of(group, version, kind) == name
    assert definitions(name).name == name


def test_unknown_names_are_key_errors(definitions: builtin.Builtins) -> None:
    with pytest.raises(KeyError):
        definitions("io.k8s.api.core.v1.Nothing")
    with pytest.raises(KeyError):
        definitions.name_of("apps", "v9", "Deployment")


def test_a_definition_is_one_object(definitions: builtin.Builtins) -> None:
    spec = definitions(f"{CORE}PodTemplateSpec").properties["spec"]
    assert spec is definitions(f"{CORE}PodSpec")


def test_recursion_is_by_identity(definitions: builtin.Builtins) -> None:
    name = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"
    schema = definitions(name)
    assert schema.properties["properties"].values is schema


@pytest.mark.parametrize(
    "owner, field, expected",
    [
        (f"{CORE}Container", "ports", ("array", "map", ("containerPort", "protocol"))),
        (f"{CORE}Container", "command", ("array", "atomic", ())),
        (f"{META}ObjectMeta", "finalizers", ("array", "set", ())),
        (f"{META}ObjectMeta", "managedFields", ("array", "atomic", ())),
    ],
)
def test_lists_have_their_types(
    definitions: builtin.Builtins, owner: str, field: str, expected: tuple[str, str, tuple[str]]
) -> None:
    schema = definitions(owner).properties[field]
    assert (schema.type, schema.list_type, schema.list_keys) == expected


@pytest.mark.parametrize(
    "owner, field, kind, form",
    [
        (f"{META}ObjectMeta", "creationTimestamp", "string", "date-time"),
        (f"{META}ObjectMeta", "generation", "integer", "int64"),
        (f"{CORE}ServicePort", "targetPort", "int-or-string", ""),
        (f"{CORE}ServicePort", "port", "integer", "int32"),
    ],
)
def test_leaves_have_their_types(
    definitions: builtin.Builtins, owner: str, field: str, kind: str, form: str
) -> None:
    schema = definitions(owner).properties[field]
    assert (schema.type, schema.format) == (kind, form)


def test_quantities_are_values_of_maps(definitions: builtin.Builtins) -> None:
    limits = definitions(f"{CORE}ResourceRequirements").properties["limits"]
    assert limits.type == "object" and limits.values is not None
    assert limits.values.type == "quantity"


def test_opaque_definitions_take_any_field_and_empty_ones_none(
    definitions: builtin.Builtins,
) -> None:
    assert definitions(f"{META}FieldsV1").unknown
    assert definitions("io.k8s.apimachinery.pkg.runtime.RawExtension").unknown
    assert not definitions("io.k8s.api.scheduling.v1beta1.BasicSchedulingPolicy").unknown


def test_required_is_what_a_server_demands(definitions: builtin.Builtins) -> None:
    assert definitions(f"{CORE}PodSpec").required == {"containers"}
    assert definitions(f"{CORE}ContainerStatus").required == frozenset()
    pool = definitions("io.k8s.api.resource.v1.ResourcePool")
    assert pool.required == {"name", "resourceSliceCount"}


def test_list_keys_have_defaults(definitions: builtin.Builtins) -> None:
    assert definitions(f"{CORE}ContainerPort").properties["protocol"].default == "TCP"
    assert definitions(f"{CORE}Container").properties["image"].default is None


def test_atomic_references_leave_the_definition_alone(definitions: builtin.Builtins) -> None:
    claim = definitions(f"{CORE}PersistentVolumeSpec").properties["claimRef"]
    selector = definitions(f"{META}LabelSelector")
    assert claim.atomic and selector.atomic
    assert claim.properties == definitions(f"{CORE}ObjectReference").properties


def test_facts_for_strategic_merge_are_kept(definitions: builtin.Builtins) -> None:
    node = definitions.raw(f"{CORE}PodSpec")["properties"]["containers"]
    assert node["x-kubernetes-patch-strategy"] == "merge"
    assert node["x-kubernetes-patch-merge-key"] == "name"
    assert "description" not in node


def test_documents_have_descriptions(definitions: builtin.Builtins) -> None:
    node = definitions.document(f"{CORE}Pod")
    assert node["description"].startswith("Pod is a collection of containers")
    spec = node["properties"]["spec"]
    assert "desired behavior" in spec["description"]
    assert spec["allOf"] == [{"$ref": f"#/components/schemas/{CORE}PodSpec"}]
    assert node["x-kubernetes-group-version-kind"][0]["kind"] == "Pod"


def test_a_minor_that_is_missing_is_named() -> None:
    with pytest.raises(LookupError, match=r"no definitions of Kubernetes 1\.2: there are 1\.25"):
        builtin.load("1.2")


@pytest.mark.parametrize("minor", builtin.minors())
def test_every_minor_resolves_wholly(minor: str) -> None:
    definitions = builtin.load(minor)
    pod = definitions(definitions.name_of("", "v1", "Pod"))
    crd = definitions(definitions.name_of("apiextensions.k8s.io", "v1", "CustomResourceDefinition"))
    assert pod.properties["spec"].properties["containers"].list_keys == ("name",)
    assert crd.properties["metadata"] is pod.properties["metadata"]
