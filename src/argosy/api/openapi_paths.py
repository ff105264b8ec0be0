"""The paths of one resource in an OpenAPI document, with the operations that are served.

They are written as OpenAPI v3 has them; `openapi_v2` turns them. Names of operations, tags and
parameters are Kubernetes' own, because generated clients are named after them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from argosy.api.openapi_parameters import (
    CHANGING,
    COLLECTION,
    DELETING,
    FORCE,
    LISTING,
    PRETTY,
    VALIDATION,
    connecting,
    path_parameter,
)
from argosy.api.resource import Resource

Node = dict[str, Any]
PATCHES = ("application/apply-patch+yaml", "application/merge-patch+json")
JSON = ("application/json", "application/yaml")
PROTOBUF = "application/vnd.kubernetes.protobuf"
TEXT = ("text/plain",)
ANYTHING = ("*/*",)
CONNECTED = frozenset({"attach", "exec", "portforward", "proxy"})
METHODS: Mapping[str, str] = {
    "DELETE": "delete",
    "GET": "get",
    "HEAD": "head",
    "OPTIONS": "options",
    "PATCH": "patch",
    "POST": "post",
    "PUT": "put",
}
_VERBS: Mapping[str, str] = {"get": "read", "post": "create", "put": "replace"}
_STRING: Node = {"type": "string"}


@dataclass(frozen=True, slots=True)
class Below:
    """A subresource that works; the kind of its answers, where that is not the resource's own."""

    name: str
    methods: tuple[str, ...]
    kind: str = ""
    group: str = ""
    version: str = ""
    deeper: bool = False  # any path may follow


@dataclass(frozen=True, slots=True)
class Schemas:
    """References to what the operations of a resource take and answer."""

    one: Node
    many: Node
    status: Node
    options: Node  # of a delete
    below: Mapping[str, Node]


def paths_of(
    resource: Resource, schemas: Schemas, patches: tuple[str, ...], below: Iterable[Below] = ()
) -> Node:
    """All paths of `resource`, with the operations of those that are named by its verbs."""
    operations = _Operations(resource, schemas, patches)
    scope = [path_parameter("namespace")] if resource.namespaced else []
    named = [*scope, path_parameter("name")]
    item = resource.path("{name}", "{namespace}")
    paths = {
        resource.path(namespace="{namespace}"): _item([*scope, PRETTY], operations.on_collection()),
        item: _item([*named, PRETTY], operations.on_object()),
    }
    if resource.namespaced and "list" in resource.verbs:
        listing = operations.list_everywhere()
        paths.setdefault(resource.path(), _item([PRETTY], {"get": listing}))
    for one in below:
        paths[f"{item}/{one.name}"] = _item([*named, PRETTY], operations.below(one))
        if one.deeper:
            deeper = [*named, path_parameter("path")]
            paths[f"{item}/{one.name}/{{path}}"] = _item(deeper, operations.below(one, deeper=True))
    return {path: node for path, node in paths.items() if node.keys() - {"parameters"}}


def _item(parameters: list[Node], operations: Node) -> Node:
    return {"parameters": parameters, **operations}


class _Operations:
    """Operations on one resource, each marked with its kind as kubectl wants it."""

    def __init__(self, resource: Resource, schemas: Schemas, patches: tuple[str, ...]) -> None:
        self._resource = resource
        self._schemas = schemas
        self._patches = patches
        self._produces = (*JSON, PROTOBUF) if resource.definition else JSON
        self._middle = f"{_title(resource)}{_camel(resource.version)}"
        self._scope = "Namespaced" if resource.namespaced else ""

    def on_collection(self) -> Node:
        """list, create and deletecollection, as far as the resource has them."""
        found: Node = {}
        resource, verbs = self._resource, self._resource.verbs
        if "list" in verbs:
            found["get"] = self._list(f"{self._scope}{resource.kind}")
        if "create" in verbs:
            found["post"] = self._write(
                "post", resource.kind, self._schemas.one, f"a {resource.kind}"
            )
        if "deletecollection" in verbs:
            found["delete"] = self._delete_collection()
        return found

    def list_everywhere(self) -> Node:
        """list across all namespaces."""
        return self._list(f"{self._resource.kind}ForAllNamespaces")

    def on_object(self) -> Node:
        """get, update, patch and delete, as far as the resource has them."""
        found: Node = {}
        kind, one = self._resource.kind, self._schemas.one
        for verb, method in (("get", "get"), ("update", "put"), ("patch", "patch")):
            if verb in self._resource.verbs:
                found[method] = self._on(method, kind, one, f"the specified {kind}")
        if "delete" in self._resource.verbs:
            found["delete"] = self._delete()
        return found

    def below(self, below: Below, *, deeper: bool = False) -> Node:
        """The operations of a subresource."""
        if below.name in CONNECTED:
            methods = [method for method in METHODS if method in below.methods]
            return {METHODS[one]: self._connect(one, below, deeper=deeper) for one in methods}
        if below.name == "log":
            return {"get": self._log()}
        kind = f"{self._resource.kind}{_camel(below.name)}"
        answer = self._schemas.below.get(below.name, self._schemas.one)
        text = f"{below.name} of the specified {self._resource.kind}"
        methods = [method for method in METHODS if method in below.methods]
        return {
            METHODS[method]: self._on(METHODS[method], kind, answer, text, self._gvk(below))
            for method in methods
        }

    def _on(self, method: str, name: str, answer: Node, text: str, gvk: Node | None = None) -> Node:
        if method != "get":
            return self._write(method, name, answer, text, gvk)
        about = (f"read{self._middle}{self._scope}{name}", f"read {text}")
        return self._operation("get", about, [], _answers(answer, self._produces), gvk)

    def _list(self, name: str) -> Node:
        about = (
            f"list{self._middle}{name}",
            f"list or watch objects of kind {self._resource.kind}",
        )
        streams = tuple(f"{media};stream=watch" for media in self._produces if media != JSON[1])
        answers = _answers(self._schemas.many, (*self._produces, *streams))
        return self._operation("list", about, list(LISTING), answers)

    def _write(
        self, method: str, name: str, answer: Node, text: str, gvk: Node | None = None
    ) -> Node:
        parameters = [*CHANGING, VALIDATION]
        verb = "partially update" if method == "patch" else _VERBS[method]
        schema = answer
        media: tuple[str, ...] = ANYTHING
        if method == "patch":
            parameters.append(FORCE)
            schema, media = {"type": "object"}, self._patches
        codes = ("200", "201", "202") if method == "post" else ("200", "201")
        about = (f"{_VERBS.get(method, method)}{self._middle}{self._scope}{name}", f"{verb} {text}")
        answers = _answers(answer, self._produces, codes)
        operation = self._operation(method, about, parameters, answers, gvk)
        return {**operation, "requestBody": _body(schema, media, required=True)}

    def _delete(self) -> Node:
        kind, resource = self._resource.kind, self._resource
        about = (f"delete{self._middle}{self._scope}{kind}", f"delete a {kind}")
        answer = self._schemas.one if resource.returned else self._schemas.status
        answers = _answers(answer, self._produces, ("200", "202"))
        operation = self._operation("delete", about, list(DELETING), answers)
        return {**operation, "requestBody": _body(self._schemas.options, ANYTHING)}

    def _delete_collection(self) -> Node:
        kind = self._resource.kind
        name = f"delete{self._middle}Collection{self._scope}{kind}"
        about = (name, f"delete collection of {kind}")
        answers = _answers(self._schemas.status, self._produces)
        parameters = [*COLLECTION, *DELETING]
        operation = self._operation("deletecollection", about, parameters, answers)
        return {**operation, "requestBody": _body(self._schemas.options, ANYTHING)}

    def _connect(self, method: str, below: Below, *, deeper: bool) -> Node:
        kind = self._resource.kind
        name = f"{self._scope}{kind}{_camel(below.name)}{'WithPath' * deeper}"
        about = (
            f"connect{self._middle}{method.title()}{name}",
            f"connect {method} requests to {below.name} of {kind}",
        )
        answers = _answers(_STRING, ANYTHING)
        parameters = connecting(below.name)
        return self._operation("connect", about, parameters, answers, self._gvk(below))

    def _log(self) -> Node:
        kind = self._resource.kind
        about = (f"read{self._middle}{self._scope}{kind}Log", f"read log of the specified {kind}")
        return self._operation("get", about, connecting("log"), _answers(_STRING, TEXT))

    def _gvk(self, below: Below | None = None) -> Node:
        own = self._resource
        if below is None or not below.kind:
            return {"group": own.group, "kind": own.kind, "version": own.version}
        if not below.version:
            return {"group": own.group, "kind": below.kind, "version": own.version}
        return {"group": below.group, "kind": below.kind, "version": below.version}

    def _operation(
        self,
        action: str,
        about: tuple[str, str],
        parameters: list[Node],
        answers: Node,
        gvk: Node | None = None,
    ) -> Node:
        """`about` is the operation's id and what it does."""
        title = _title(self._resource)
        return {
            "description": about[1],
            "operationId": about[0],
            "tags": [f"{title[:1].lower()}{title[1:]}_{self._resource.version}"],
            "parameters": parameters,
            "responses": answers,
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": gvk or self._gvk(),
        }


def _answers(schema: Node, media: tuple[str, ...], codes: tuple[str, ...] = ("200",)) -> Node:
    words = {"200": "OK", "201": "Created", "202": "Accepted"}
    content = {kind: {"schema": schema} for kind in media}
    answers: Node = {code: {"description": words[code], "content": content} for code in codes}
    return {**answers, "401": {"description": "Unauthorized"}}


def _body(schema: Node, media: tuple[str, ...], *, required: bool = False) -> Node:
    content = {kind: {"schema": schema} for kind in media}
    return {"required": True, "content": content} if required else {"content": content}


def _title(resource: Resource) -> str:
    """The group as operations are named after it: `RbacAuthorization`, `Core`."""
    parts = resource.group.removesuffix(".k8s.io").split(".")
    return "".join(map(_camel, parts)) if resource.group else "Core"


def _camel(text: str) -> str:
    return text[:1].upper() + text[1:]
