"""CustomResourceDefinitions as they are read: by the server, and by controllers.

Controllers see no schemas, which are by far the largest part.
"""

from typing import Any, ClassVar

import msgspec

from argosy.api.meta import Condition, Object
from argosy.api.resource import Resource
from argosy.api.resources.extensions import CUSTOM_RESOURCE_DEFINITION

CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
"""The finalizer of a definition that is deleted, until its objects are gone."""


class Names(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What the kind is called."""

    plural: str = ""
    singular: str = ""
    kind: str = ""
    list_kind: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()

    @property
    def of_resource(self) -> set[str]:
        """The names under which it is asked for: each is one kind's only in its group."""
        return {self.plural, self.singular, *self.short_names} - {""}

    @property
    def of_kind(self) -> set[str]:
        """The names under which its objects come: each is one kind's only in its group."""
        return {self.kind, self.list_kind} - {""}


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A version, as controllers see it."""

    name: str
    served: bool = False
    storage: bool = False


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted, as controllers see it."""

    group: str = ""
    names: Names = Names()
    scope: str = ""
    versions: tuple[Version, ...] = ()


class Status(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What came of it."""

    conditions: tuple[Condition, ...] = ()
    accepted_names: Names = Names()
    stored_versions: tuple[str, ...] = ()

    def holds(self, kind: str) -> bool:
        """Whether a condition is true."""
        return any(item.type == kind and item.status == "True" for item in self.conditions)


class CustomResourceDefinition(Object, frozen=True, kw_only=True):
    """A definition, without its schemas."""

    resource: ClassVar[Resource] = CUSTOM_RESOURCE_DEFINITION

    spec: Spec = Spec()
    status: Status = Status()

    @property
    def established(self) -> bool:
        """Whether its kind is served."""
        return self.status.holds("Established")

    @property
    def refused(self) -> bool:
        """Whether names that it wants are another's."""
        return any(
            item.type == "NamesAccepted" and item.status == "False"
            for item in self.status.conditions
        )

    @property
    def served(self) -> Resource | None:
        """The kind, in the version that is best asked for; None where none is served. One that
        goes is served as it is stored at least.
        """
        ending = self.metadata.deletion_timestamp is not None
        versions = [item for item in self.spec.versions if item.served or (ending and item.storage)]
        if not versions or not self.established:
            return None
        best = next((item for item in versions if item.storage), versions[0])
        names = self.status.accepted_names
        return Resource(
            group=self.spec.group,
            version=best.name,
            kind=names.kind,
            plural=names.plural,
            namespaced=self.spec.scope == "Namespaced",
        )


class Schemas(msgspec.Struct, frozen=True, kw_only=True):
    """The schema of a version, not decoded."""

    root: msgspec.Raw = msgspec.field(default=msgspec.Raw(b"{}"), name="openAPIV3Schema")


class Scale(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Where the parts of the scale are."""

    spec_replicas_path: str
    status_replicas_path: str
    label_selector_path: str = ""


class Subresources(msgspec.Struct, frozen=True, kw_only=True):
    """What there is below an object."""

    status: dict[str, Any] | None = None
    scale: Scale | None = None


class PrinterColumn(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A column of the kind's table."""

    name: str
    type: str
    json_path: str = msgspec.field(name="jsonPath")
    priority: int = 0


class SelectableField(msgspec.Struct, frozen=True, kw_only=True):
    """A field that selectors may name."""

    path: str = msgspec.field(name="jsonPath")


class WholeVersion(Version, frozen=True, kw_only=True, rename="camel"):
    """A version, as the server sees it."""

    schemas: Schemas = msgspec.field(default=Schemas(), name="schema")
    subresources: Subresources | None = None
    additional_printer_columns: tuple[PrinterColumn, ...] = ()
    selectable_fields: tuple[SelectableField, ...] = ()
    deprecated: bool = False
    deprecation_warning: str | None = None


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """Who converts: `versions` are those of ConversionReview that it takes."""

    client_config: dict[str, Any] = msgspec.field(default_factory=dict, name="clientConfig")
    versions: tuple[str, ...] = msgspec.field(default=(), name="conversionReviewVersions")


class Conversion(msgspec.Struct, frozen=True, kw_only=True):
    """How an object of one version becomes one of another."""

    strategy: str = "None"
    webhook: Webhook = Webhook()


class WholeSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted, as the server sees it."""

    group: str
    names: Names
    scope: str
    versions: tuple[WholeVersion, ...]
    conversion: Conversion | None = None


class WholeDefinition(Object, frozen=True, kw_only=True):
    """A definition as the server sees it."""

    spec: WholeSpec
    status: Status = Status()

    @property
    def established(self) -> bool:
        """Whether its kind is served."""
        return self.status.holds("Established")

    @property
    def ending(self) -> bool:
        """Whether its objects are being deleted, and no more may come."""
        return self.metadata.deletion_timestamp is not None
