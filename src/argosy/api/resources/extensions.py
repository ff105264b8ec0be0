"""The API's own extension: definitions of kinds."""

from argosy.api.resource import NAME, Column, Resource

CUSTOM_RESOURCE_DEFINITION = Resource(
    group="apiextensions.k8s.io",
    version="v1",
    kind="CustomResourceDefinition",
    plural="customresourcedefinitions",
    namespaced=False,
    short_names=("crd", "crds"),
    categories=("api-extensions",),
    status=True,
    definition="io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
    columns=(NAME, Column("Created At", "metadata.creationTimestamp")),
)

EXTENSIONS = (CUSTOM_RESOURCE_DEFINITION,)
