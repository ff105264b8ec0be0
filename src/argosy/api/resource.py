"""What a resource is: the facts by which a kind is found on the wire."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

# Upstream's `ReturnDeletedObject`: typed clients decode the answer to a delete as the object.
RETURNED = frozenset(
    {
        "csidrivers.storage.k8s.io",
        "csinodes.storage.k8s.io",
        "deviceclasses.resource.k8s.io",
        "devicetaintrules.resource.k8s.io",
        "persistentvolumeclaims",
        "persistentvolumes",
        "pods",
        "podtemplates",
        "resourceclaims.resource.k8s.io",
        "resourceclaimtemplates.resource.k8s.io",
        "resourcepoolstatusrequests.resource.k8s.io",
        "resourcequotas",
        "resourceslices.resource.k8s.io",
        "serviceaccounts",
        "services",
        "storageclasses.storage.k8s.io",
        "volumeattachments.storage.k8s.io",
        "volumeattributesclasses.storage.k8s.io",
    }
)

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


Show = Callable[[Mapping[str, Any], datetime], str | int | bool | None]
"""Makes a cell of an object, at a time."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the kind's table. `path` is a dotted path, or a name known to `columns`.

    `empty` is shown where nothing stands at the path; None leaves it to the column's type. A kind
    that users define brings with `show` what makes its cells.
    """

    name: str
    path: str
    type: str = "string"
    priority: int = 0
    empty: str | int | None = None
    show: Show | None = field(default=None, compare=False, repr=False)


NAME = Column("Name", "metadata.name")
AGE = Column("Age", "metadata.creationTimestamp", "date")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A served resource. `definition` names its OpenAPI definition; own kinds leave it empty.

    Resources of one group and plural are versions of one kind: they are one object in the store.
    """

    group: str = ""
    version: str
    kind: str
    plural: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = field(default=VERBS, hash=False)
    status: bool = False
    subresources: tuple[str, ...] = field(default=(), hash=False)  # beside status
    definition: str = ""
    columns: tuple[Column, ...] = field(default=(), hash=False)
    on: bool = True  # served, unless it is switched off
    gate: str = ""  # the feature gate that must be open too
    storage_group: str | None = None  # the group in which it is stored, where that is another
    one: str = ""  # its singular, where that is not the kind in lower case
    many: str = ""  # the kind of its lists, where that is not the kind with `List`

    @property
    def api_version(self) -> str:
        """`v1`, or `group/version`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def singular(self) -> str:
        """What one of them is called: in general the kind in lower case."""
        return self.one or self.kind.lower()

    @property
    def list_kind(self) -> str:
        """The kind of a list of them."""
        return self.many or f"{self.kind}List"

    @property
    def qualified(self) -> str:
        """`plural`, or `plural.group`: as error messages name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def returned(self) -> bool:
        """Whether a delete answers with the object that it took away, rather than a Status."""
        rule = (self.plural, self.version) == ("devicetaintrules", "v1")  # unlike older versions
        return self.qualified in RETURNED and not rule

    @property
    def root(self) -> str:
        """The path of its group and version."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    def path(self, name: str = "", namespace: str = "", subresource: str = "") -> str:
        """The URL path of the collection, of one object or of its subresource."""
        parts = [self.root]
        if namespace and self.namespaced:
            parts += ["namespaces", namespace]
        parts += [part for part in (self.plural, name, subresource) if part]
        return "/".join(parts)

    def key(self, namespace: str = "", name: str = "") -> str:
        """The store's key of one object, or the prefix of many: `/group/plural/namespace/name`."""
        group = self.group if self.storage_group is None else self.storage_group
        if not self.namespaced:
            return f"/{group}/{self.plural}/{name}"
        if not namespace:
            return f"/{group}/{self.plural}/"
        return f"/{group}/{self.plural}/{namespace}/{name}"
