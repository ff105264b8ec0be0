"""Which verb a request asks for: by its method, and by what its path names."""

from collections.abc import Mapping
from dataclasses import dataclass

from argosy.apiserver.request import Call
from argosy.apiserver.subresources import Subresource, Verb, names_of
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

    def verb(self, method: str, call: Call) -> Verb:
        """The verb of a request. Raises StatusError 404 and 405."""
        target, resource = call.target, call.target.served.resource
        if resource.namespaced and not target.namespace:
            if target.name:
                raise unknown_path()
            if method != "GET":
                raise method_not_allowed()
        if target.subresource:
            found = self._below(method, call)
        elif method == "GET" and call.flag("watch"):
            found = watch
        else:
            found = (ON_OBJECT if target.name else ON_COLLECTION).get(method)
        if found is None:
            raise method_not_allowed()
        return found

    def _below(self, method: str, call: Call) -> Verb | None:
        resource = call.target.served.resource
        name, _, rest = call.target.subresource.partition("/")
        if name not in names_of(resource):
            raise unknown_path()
        subresource = self.subresources.get(name)
        if subresource is None:
            raise method_not_allowed(f"{resource.plural}/{name} is not supported yet")
        if rest and not subresource.below:
            raise unknown_path()
        return subresource.methods.get(method)
