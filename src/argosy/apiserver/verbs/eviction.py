"""The eviction of a pod: a deletion that asks the pod's disruption budget first.

A pod that does not run, or is going anyway, disrupts nothing. For any other a budget that covers it
must allow one disruption more: one is taken off in the same write that reads it, so that two
evictions never share one. Source: the eviction of kube-apiserver's pod registry (policy/v1).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from argosy.api.kinds import PREFERRED
from argosy.api.resource import Resource
from argosy.api.validation.selectors import parsed
from argosy.apiserver.accept import JSON
from argosy.apiserver.deleteoptions import read_options
from argosy.apiserver.objects import Objects, absent
from argosy.apiserver.request import Call
from argosy.apiserver.sent import sent_object
from argosy.apiserver.verbs.delete import delete
from argosy.apiserver.verbs.edits import shown_as
from argosy.apiserver.verbs.pods import conditioned, done, posted
from argosy.base.clock import timestamp
from argosy.base.errors import StatusError, bad_request, conflict, forbidden, invalid, invalid_value
from argosy.http.message import Request, Response

Json = dict[str, Any]

EVICTION = Resource(
    group="policy",
    version="v1",
    kind="Eviction",
    plural="evictions",
    definition="io.k8s.api.policy.v1.Eviction",
)
OLD = "policy/v1beta1"
"""Is taken too: it has the same fields."""
OVER = ("Succeeded", "Failed")
TRIES = 20
"""How often a pod that does not run yet is looked at anew, because it changed meanwhile."""
MOST_DISRUPTED = 2000
"""Evictions that a budget's controller may not have seen yet."""
REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."
SEVERAL = (
    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not "
    "support."
)
TARGET = {
    "type": "DisruptionTarget",
    "status": "True",
    "reason": "EvictionByEvictionAPI",
    "message": "Eviction API: evicting",
}
"""What an evicted pod says of itself before it goes."""


async def evict(objects: Objects, call: Call) -> Response:
    """Delete the pod if its disruption budget allows. Raises StatusError 429 where it doesn't."""
    options = _options(objects, call)
    if options.get("dryRun"):
        call = replace(call, query={**call.query, "dryRun": "All"})
    for _ in range(TRIES):
        pod = _pod(objects, call)
        if not _disrupts_nothing(pod):
            return await _by_budget(objects, call, options, pod)
        exact = not _is_over(pod) and not _revision(options)
        try:
            await _gone(objects, call, _at(options, pod) if exact else options)
        except StatusError as error:
            if error.code != 409 or _revision(options):
                raise
            refusal = error
        else:
            return done(call)
    raise refusal


def _options(objects: Objects, call: Call) -> Json:
    """How the pod shall be deleted. Raises StatusError 400, 422."""
    sent = sent_object(shown_as(call, EVICTION))
    if sent.get("apiVersion") == OLD:
        sent["apiVersion"] = EVICTION.api_version
    eviction = posted(objects, call, EVICTION, sent)
    objects.reviewed(call, "CREATE", eviction, None)
    options: Json = eviction.get("deleteOptions") or {}
    name = "ignoreStoreReadErrorWithClusterBreakingPotential"
    if options.get(name):
        detail = "can not be set for pod eviction, try after removing the option"
        wrong = invalid_value(f"deleteOptions.{name}", True, detail)
        raise invalid(EVICTION.kind, EVICTION.group, call.target.name, [wrong])
    asked, dry = ["All"] if call.dry_run else [], options.get("dryRun") or []
    if asked and dry and asked != dry:
        raise bad_request(
            f"Non-matching dry-run options in request and content: [{' '.join(asked)}] "
            f"and [{' '.join(map(str, dry))}]"
        )
    read_options(_deletion(call, options))
    return options


def _pod(objects: Objects, call: Call) -> Json:
    found: Json = msgspec.json.decode(objects.read(call.target).value)
    return found


def _is_over(pod: Json) -> bool:
    ended = (pod.get("status") or {}).get("phase") in OVER
    return ended or bool(pod["metadata"].get("deletionTimestamp"))


def _disrupts_nothing(pod: Json) -> bool:
    return _is_over(pod) or (pod.get("status") or {}).get("phase") == "Pending"


def _revision(options: Json) -> str:
    return str((options.get("preconditions") or {}).get("resourceVersion") or "")


def _at(options: Json, pod: Json) -> Json:
    """The options, for the pod as it is now and no other."""
    revision = pod["metadata"]["resourceVersion"]
    wanted = {**(options.get("preconditions") or {}), "resourceVersion": revision}
    return {**options, "preconditions": wanted}


async def _by_budget(objects: Objects, call: Call, options: Json, pod: Json) -> Response:
    """Evict a pod that runs."""
    covering = _budgets(objects, pod)
    if len(covering) > 1:
        raise StatusError(500, "InternalError", SEVERAL)
    exact = False
    if covering:
        exact = _may_go_unready(pod, covering[0])
        if not exact:
            await _take(objects, call, covering[0]["metadata"]["name"])
    try:
        await _gone(objects, call, _at(options, pod) if exact else options)
    except StatusError as error:
        if error.code == 409 and exact and not _revision(options):
            # It changed, perhaps for the better: then the budget has a say after all.
            raise _not_yet(covering[0]["metadata"]["name"]) from None
        raise
    return done(call)


def _budgets(objects: Objects, pod: Json) -> list[Json]:
    """The budgets that cover the pod; one with a selector that can't be read covers none."""
    labels = pod["metadata"].get("labels") or {}
    prefix = PREFERRED["PodDisruptionBudget"].key(pod["metadata"]["namespace"])
    budgets: list[Json] = [msgspec.json.decode(one.value) for one in objects.store.list(prefix)]
    found = []
    for budget in budgets:
        sent = budget["spec"].get("selector")
        selector = None if sent is None else parsed(sent)
        if selector is not None and selector.matches(labels):
            found.append(budget)
    return found


def _may_go_unready(pod: Json, budget: Json) -> bool:
    """Whether the pod counts for nothing with its budget, because it is not ready."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    if any((one["type"], one["status"]) == ("Ready", "True") for one in conditions):
        return False
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    healthy, desired = _healthy(budget.get("status") or {})
    return healthy >= desired > 0


def _healthy(status: Mapping[str, Any]) -> tuple[int, int]:
    return status.get("currentHealthy") or 0, status.get("desiredHealthy") or 0


async def _take(objects: Objects, call: Call, name: str) -> None:
    """Take one disruption off what the budget allows. Raises StatusError 403, 429."""
    pod, now = call.target.name, timestamp(objects.clock.now())

    def change(budget: Json | None) -> Json | None:
        if budget is None:
            return None
        allowed = _allowed(budget)
        status = {**budget["status"], "disruptionsAllowed": allowed - 1}
        status["disruptedPods"] = {**(status.get("disruptedPods") or {}), pod: now}
        if allowed == 1:
            status = conditioned(status, _exhausted(status), now)
        return {**budget, "status": status}

    key = PREFERRED["PodDisruptionBudget"].key(call.target.namespace, name)
    await objects.write(call, key, change)


def _allowed(budget: Json) -> int:
    """How many disruptions the budget allows, at least one. Raises StatusError 403, 429."""
    meta, status = budget["metadata"], budget.get("status") or {}
    if (status.get("observedGeneration") or 0) < (meta.get("generation") or 0):
        raise _not_yet(meta["name"])
    allowed: int = status.get("disruptionsAllowed") or 0
    named = f'poddisruptionbudget.policy "{meta["name"]}" is forbidden: '
    if allowed < 0:
        raise forbidden(f"{named}pdb disruptions allowed is negative")
    if len(status.get("disruptedPods") or ()) > MOST_DISRUPTED:
        detail = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        raise forbidden(f"{named}{detail}")
    if not allowed:
        raise _too_many(_why_not(meta["name"], status))
    return allowed


def _why_not(name: str, status: Mapping[str, Any]) -> str:
    text = f"The disruption budget {name} does not allow evicting pods currently"
    healthy, desired = _healthy(status)
    conditions = status.get("conditions") or ()
    found: Json = next((one for one in conditions if one["type"] == "DisruptionAllowed"), {})
    said = found.get("message") if found.get("status") == "False" else ""
    if said and found.get("reason") == "SyncFailed":
        return f"{text} because it failed sync: {said}"
    if healthy <= desired:
        needs = f"needs {desired} healthy pods and has {healthy} currently"
        return f"The disruption budget {name} {needs}"
    return f"{text} ({found.get('reason')}): {said}" if said else text


def _not_yet(name: str) -> StatusError:
    text = f"The disruption budget {name} is still being processed by the server."
    return _too_many(text, retryAfterSeconds=10)


def _too_many(text: str, **details: int) -> StatusError:
    causes = [{"reason": "DisruptionBudget", "message": text}]
    return StatusError(429, "TooManyRequests", REFUSED, details={"causes": causes, **details})


def _exhausted(status: Json) -> Json:
    seen = status.get("observedGeneration")
    condition = {"type": "DisruptionAllowed", "status": "False", "reason": "InsufficientPods"}
    return {**condition, "message": "", **({"observedGeneration": seen} if seen else {})}


async def _gone(objects: Objects, call: Call, options: Json) -> None:
    """Let the pod say why it goes, and delete it."""
    wanted = options.get("preconditions") or {}
    if not call.dry_run:
        now = timestamp(objects.clock.now())

        def change(pod: Json | None) -> Json:
            if pod is None:
                raise absent(call.target)
            _exactly(pod, wanted)
            return {**pod, "status": conditioned(pod.get("status") or {}, TARGET, now)}

        value = await objects.write(call, call.target.key, change)
        if _revision(options):
            options = _at(options, msgspec.json.decode(value))
    await delete(objects, _deletion(call, options))


def _deletion(call: Call, options: Json) -> Call:
    """The call that deletes the pod."""
    body = msgspec.json.encode({**options, "kind": "DeleteOptions", "apiVersion": "v1"})
    target = replace(call.target, subresource="")
    where = target.served.resource.path(target.name, target.namespace)
    request = Request("DELETE", where, "", {"content-type": JSON}, body)
    query = {"dryRun": "All"} if call.dry_run else {}
    return replace(call, request=request, target=target, query=query)


def _exactly(pod: Json, wanted: Mapping[str, Any]) -> None:
    """The pod must be the one that was meant. Raises StatusError 409."""
    ends = {"uid": "deleted and then recreated", "resourceVersion": "modified"}
    for name, shown in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        there = pod["metadata"][name]
        if wanted.get(name) and wanted[name] != there:
            detail = (
                f"the {shown} in the precondition ({wanted[name]}) does not match the {shown} in "
                f"record ({there}). The object might have been {ends[name]}"
            )
            raise conflict("Pod", pod["metadata"]["name"], detail)
