"""`serviceaccounts/NAME/token`: a token for the account, for an audience, an object, a time.

Nothing is stored, so a dry run answers like any other. A token for this server itself that is bound
to a pod and asked for in the kubelet's usual length is good for a year, as upstream has it, and
says from when on its holder should have renewed it.
"""

import asyncio
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from argosy.api.resource import Resource
from argosy.api.resources.core import NODE, POD, SECRET
from argosy.api.resources.identity import TOKEN_REQUEST
from argosy.api.validation.reviews import token_request
from argosy.apiserver.authentication.accounts import (
    Claims,
    KubernetesClaims,
    Reference,
    username,
)
from argosy.apiserver.authentication.keys import Keys
from argosy.apiserver.authentication.tokens import AUDIENCES
from argosy.apiserver.catalog import Served
from argosy.apiserver.negotiate import answer
from argosy.apiserver.objects import Objects
from argosy.apiserver.request import Call, Target
from argosy.apiserver.sent import sent_object
from argosy.base.clock import timestamp
from argosy.base.errors import FieldError, bad_request, conflict, invalid, invalid_value
from argosy.http.message import Response

Json = dict[str, Any]
DEFAULT_SECONDS = 60 * 60
USUAL_SECONDS = 60 * 60 + 7
"""What kubelets ask for: nobody else asks for such a length."""
EXTENDED_SECONDS = 365 * 24 * 60 * 60
BINDABLE = {"Pod": POD, "Node": NODE, "Secret": SECRET}


@dataclass(slots=True)
class TokenRequests:
    """Answers requests for tokens, signed with `keys`."""

    keys: Keys
    _served: Served | None = None  # what a request looks like

    async def __call__(self, objects: Objects, call: Call) -> Response:
        request = self._incoming(objects, call)
        objects.reviewed(call, "CREATE", request, None)
        account = msgspec.json.decode(objects.read(call.target).value)
        _completed(request, account)
        now = objects.clock.now()
        request["metadata"]["creationTimestamp"] = timestamp(now)
        if errors := list(token_request(request)):
            raise _refused("", errors)
        bound = _bound(objects, call.target, request["spec"].get("boundObjectRef"))
        claims = _claims(request, bound, now)
        if not self.keys.made:
            await asyncio.to_thread(self.keys.make)
        until = now + timedelta(seconds=request["spec"]["expirationSeconds"])
        request["status"] = {
            "token": self.keys.sign(msgspec.json.encode(claims)),
            "expirationTimestamp": timestamp(until),
        }
        body = msgspec.json.encode(request)
        return answer(body, status=201, warnings=tuple(call.warnings))

    def _incoming(self, objects: Objects, call: Call) -> Json:
        """The request, of the right structure and for this account. Raises StatusError."""
        if self._served is None:
            definitions = call.target.served.definitions
            self._served = Served(TOKEN_REQUEST, TOKEN_REQUEST, definitions)
        seen = replace(call, target=Target(self._served, call.target.namespace))
        body = sent_object(seen)
        if body.get("spec") is None:
            body["spec"] = {}
        request = objects.incoming(seen, body)
        assert isinstance(call.dry_run, bool)  # read, so that a wrong option is refused
        name = request["metadata"].get("name")
        if name and name != call.target.name:
            detail = "must match the service account name if specified"
            raise _refused(call.target.name, [invalid_value("metadata.name", name, detail)])
        return request


def _refused(name: str, errors: list[FieldError]) -> Exception:
    return invalid(TOKEN_REQUEST.kind, TOKEN_REQUEST.group, name, errors)


def _completed(request: Json, account: Json) -> None:
    """Fill in what the client left out. Raises StatusError 409 for another account's uid."""
    meta, spec, known = request["metadata"], request["spec"], account["metadata"]
    if (wanted := meta.get("uid")) and wanted != known["uid"]:
        raise conflict(
            f"{TOKEN_REQUEST.kind}.{TOKEN_REQUEST.group}",
            known["name"],
            f"the UID in the token request ({wanted}) does not match the UID of the service "
            f"account ({known['uid']})",
        )
    request["metadata"] = {
        **meta,
        "name": known["name"],
        "namespace": known["namespace"],
        "uid": known["uid"],
    }
    spec["audiences"] = spec.get("audiences") or list(AUDIENCES)
    if spec.get("expirationSeconds") is None:
        spec["expirationSeconds"] = DEFAULT_SECONDS


@dataclass(frozen=True, slots=True)
class _Bound:
    """What a token is bound to, and where its pod runs."""

    pod: Reference | None = None
    node: Reference | None = None
    secret: Reference | None = None


def _bound(objects: Objects, account: Target, reference: Json | None) -> _Bound:
    """The object that a token shall be bound to. Raises StatusError 400, 404 and 409."""
    if reference is None:
        return _Bound()
    group, version, kind = _parsed(reference)
    resource = None if group else BINDABLE.get(kind)
    if resource is None:
        raise bad_request(f"cannot bind token to object of type {group}/{version}, Kind={kind}")
    found = _object(objects, account, resource, reference.get("name") or "")
    named = Reference(found["metadata"]["name"], found["metadata"]["uid"])
    node = None
    if kind == "Pod":
        spec = found["spec"]
        if spec.get("serviceAccountName") != account.name:
            raise bad_request(
                f'cannot bind token for serviceaccount "{account.name}" to pod running with '
                "different serviceaccount name."
            )
        node = _node_of(objects, spec.get("nodeName") or "")
    if (wanted := reference.get("uid")) and wanted != named.uid:
        raise conflict(
            kind,
            named.name,
            f"the UID in the bound object reference ({wanted}) does not match the UID in record. "
            "The object might have been deleted and then recreated",
        )
    if kind == "Pod":
        return _Bound(pod=named, node=node)
    return _Bound(node=named) if kind == "Node" else _Bound(secret=named)


def _parsed(reference: Json) -> tuple[str, str, str]:
    """Group, version and kind; without a version that makes sense, the kind alone."""
    parts = (reference.get("apiVersion") or "").split("/")
    group, version = ("", "") if len(parts) > 2 else (["", *parts][-2], parts[-1])
    return group, version, reference.get("kind") or ""


def _object(objects: Objects, account: Target, resource: Resource, name: str) -> Json:
    served = Served(resource, resource, account.served.definitions)
    namespace = account.namespace if resource.namespaced else ""
    if not name:
        raise bad_request("resource name may not be empty")
    found: Json = msgspec.json.decode(objects.read(Target(served, namespace, name)).value)
    return found


def _node_of(objects: Objects, name: str) -> Reference | None:
    """The pod's node, which may be gone: its name still says something."""
    if not name:
        return None
    record = objects.store.get(NODE.key(name=name))
    uid = "" if record is None else msgspec.json.decode(record.value)["metadata"]["uid"]
    return Reference(name, uid)


def _claims(request: Json, bound: _Bound, now: datetime) -> Claims:
    meta, spec = request["metadata"], request["spec"]
    issued, seconds = int(now.timestamp()), spec["expirationSeconds"]
    warn = None
    usual = bound.pod is not None and seconds == USUAL_SECONDS
    if usual and set(spec["audiences"]) <= set(AUDIENCES):
        warn, seconds = issued + seconds, EXTENDED_SECONDS
    return Claims(
        aud=tuple(spec["audiences"]),
        exp=issued + seconds,
        iat=issued,
        jti=str(uuid.uuid4()),
        kubernetes=KubernetesClaims(
            namespace=meta["namespace"],
            node=bound.node,
            pod=bound.pod,
            secret=bound.secret,
            serviceaccount=Reference(meta["name"], meta["uid"]),
            warnafter=warn,
        ),
        nbf=issued,
        sub=username(meta["namespace"], meta["name"]),
    )
