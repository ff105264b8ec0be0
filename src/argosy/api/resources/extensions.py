"""The API's own extension: definitions of kinds, and who serves which group."""

from argosy.api.resource import AGE, NAME, Column, Resource

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

API_SERVICE = Resource(
    group="apiregistration.k8s.io",
    version="v1",
    kind="APIService",
    plural="apiservices",
    namespaced=False,
    categories=("api-extensions",),
    status=True,
    definition="io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService",
    columns=(NAME, Column("Service", "api-service"), Column("Available", "api-available"), AGE),
)

EXTENSIONS = (CUSTOM_RESOURCE_DEFINITION, API_SERVICE)
