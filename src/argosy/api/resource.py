"""What a resource is: the facts by which a kind is found on the wire."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the kind's table. `path` is a dotted path, or a name known to `columns`."""

    name: str
    path: str
    type: str = "string"
    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A served resource. `definition` names its OpenAPI definition; own kinds leave it empty."""

    group: str = ""
    version: str
    kind: str
    plural: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    status: bool = False
    subresources: tuple[str, ...] = ()  # beside status
    definition: str = ""
    columns: tuple[Column, ...] = ()

    @property
    def api_version(self) -> str:
        """`v1`, or `group/version`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def singular(self) -> str:
        """The kind in lower case."""
        return self.kind.lower()

    @property
    def qualified(self) -> str:
        """`plural`, or `plural.group`: as error messages name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

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
        if not self.namespaced:
            return f"/{self.group}/{self.plural}/{name}"
        if not namespace:
            return f"/{self.group}/{self.plural}/"
        return f"/{self.group}/{self.plural}/{namespace}/{name}"
