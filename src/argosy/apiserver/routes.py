"""Which verb a request asks for: by its method, and by what its path names."""

from collections.abc import Mapping
from dataclasses import dataclass

from argosy.api.resource import Resource
from argosy.apiserver.request import Call, Target
from argosy.apiserver.subresources import Subresource, Verb, known_as, names_of
from argosy.apiserver.verbs.delete import delete, delete_collection
from argosy.apiserver.verbs.read import get, list_
from argosy.apiserver.verbs.watch import watch
from argosy.apiserver.verbs.write import create, patch, update
from argosy.base.errors import method_not_allowed, unknown_path

ON_COLLECTION: Mapping[str, Verb] = {
    "GET": list_,
    "POST": create,
    "DELETE": delete_collection,
}
ON_OBJECT: Mapping[str, Verb] = {"GET": get, "PUT": update, "PATCH": patch, "DELETE": delete}


@dataclass(frozen=True, slots=True)
class Routes:
    """Finds verbs; `subresources` are those that work."""

    subresources: Mapping[str, Subresource]
    virtual: Mapping[str, Mapping[str, Verb]]  # of what is never stored, by qualified name

    def verb(self, method: str, call: Call) -> Verb:
        """The verb of a request. Raises StatusError 404 and 405."""
        target, resource = call.target, call.target.served.resource
        if target.served.virtual:
            return self._virtual(method, call)
        if resource.namespaced and not target.namespace:
            if target.name:
                raise unknown_path()
            if method != "GET":
                raise method_not_allowed()
        if target.subresource:
            below = self._below(target)
            if below is None:
                raise unknown_path()
            found = below.methods.get(method)
        elif method == "GET" and call.flag("watch"):
            found = watch
        else:
            found = (ON_OBJECT if target.name else ON_COLLECTION).get(method)
        if found is None:
            raise method_not_allowed()
        return found

    def shown(self, target: Target) -> Resource:
        """Whose columns the answers at a path have."""
        below = self._below(target) if target.subresource else None
        return (below.shown if below else None) or target.served.resource

    def _virtual(self, method: str, call: Call) -> Verb:
        target = call.target
        if target.subresource or (target.name and "get" not in target.served.resource.verbs):
            raise unknown_path()
        found = self.virtual[target.served.resource.qualified].get(method)
        if found is None or (target.served.resource.namespaced and not target.namespace):
            raise method_not_allowed()
        return found

    def _below(self, target: Target) -> Subresource | None:
        """The subresource that the path leads to, if there is one."""
        resource = target.served.resource
        name, _, rest = target.subresource.partition("/")
        found = known_as(self.subresources, resource, name) if name in names_of(resource) else None
        return None if found is None or (rest and not found.below) else found
