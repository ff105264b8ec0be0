"""A request's objects in the version that rules name, where they come in another."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from argosy.api.resource import Resource
from argosy.apiserver.admission.rule import Attributes
from argosy.apiserver.catalog import Catalog, Served
from argosy.apiserver.conversion import Converted
from argosy.store.interface import Store

if TYPE_CHECKING:
    from argosy.apiserver.extensions.conversions import Conversions

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Versions:
    """What a store has, in any version in which it is served."""

    store: Store
    catalog: Catalog
    conversions: "Callable[[], Conversions]"

    def seen(self, served: Served, attributes: Attributes) -> Store:
        """The store as one version sees it, during a request."""
        return served.seen_in(self.store, attributes.answers, self.conversions)

    def shown(self, attributes: Attributes, obj: Json | None, wanted: Resource) -> Json | None:
        """An object of the request's kind in that version, by way of the one that is stored.

        What is no such object (a binding, a scale) stays as it is; None where there is none.
        """
        served = attributes.target.served
        asked = served.resource
        if not obj:
            return None
        if wanted.api_version == asked.api_version or obj.get("apiVersion") != asked.api_version:
            return obj
        view = self.seen(served, attributes)
        if isinstance(view, Converted) and view.versions is not None:  # only a webhook can tell
            return view.versions.turned(obj, wanted.api_version)
        value = msgspec.json.encode(obj)
        if isinstance(view, Converted):
            value = view.inwards(value)
        view = self.seen(self._served(wanted), attributes)
        if isinstance(view, Converted):
            value = view.outwards(value, self.store.revision + 1)
        converted: Json = msgspec.json.decode(value)
        return converted

    def _served(self, wanted: Resource) -> Served:
        return self.catalog.find(wanted.group, wanted.version, wanted.plural)
