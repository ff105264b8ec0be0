"""LimitRanger: what a namespace gives who asks for nothing, and the bounds of what is asked for.

Every LimitRange of the namespace counts. The defaults come first, of one range after another; then
every bound is looked at, and all that is wrong is said at once.
"""

from collections.abc import Iterator

from argosy.api.amounts import Amounts, parsed
from argosy.api.podresources import aggregate, qos_class
from argosy.api.resources.core import LIMIT_RANGE
from argosy.apiserver.admission.limits import faults
from argosy.apiserver.admission.rule import Attributes, Json
from argosy.apiserver.admission.views import Views

ANNOTATION = "kubernetes.io/limit-ranger"
GROUPS = (("containers", "container"), ("initContainers", "init container"))
PARTS = (("requests", "defaultRequest", "request"), ("limits", "default", "limit"))
OF_PODS = ("cpu", "memory")
PREFIX = LIMIT_RANGE.key()


class LimitRanger:
    """The rules of both phases, which share what they know of ranges."""

    def __init__(self) -> None:
        self._ranges: Views[list[Json]] = Views(_limits)

    def complete(self, attributes: Attributes) -> None:
        """Give a pod's containers the defaults of the namespace."""
        pod = attributes.new
        for limits in self._of(attributes):
            if _set_defaults(pod, limits) and attributes.old is None:
                # It had the class of what it asked for by itself.
                pod["status"] = {**pod["status"], "qosClass": qos_class(pod["spec"])}

    def check(self, attributes: Attributes) -> None:
        """Refuse what is out of bounds."""
        claim = attributes.target.served.resource.kind == "PersistentVolumeClaim"
        wrong = _claim_faults if claim else _pod_faults
        for limits in self._of(attributes):
            if found := list(dict.fromkeys(wrong(attributes.new, limits))):
                said = ", ".join(found)
                raise attributes.refusal(said if len(found) == 1 else f"[{said}]")

    def _of(self, attributes: Attributes) -> list[list[Json]]:
        """The limits of each range that counts: nothing is asked of an object that is going."""
        records = attributes.items(f"{PREFIX}{attributes.target.namespace}/")
        if not records:
            return []
        old = attributes.old
        if old is not None and old["metadata"].get("deletionTimestamp"):
            return []
        return [self._ranges.of(record) for record in records]


def _limits(obj: Json) -> list[Json]:
    limits: list[Json] = obj["spec"].get("limits") or []
    return limits


def _set_defaults(pod: Json, limits: list[Json]) -> bool:
    """Whether the pod was given anything."""
    defaults: Json = {}
    for part, field, _ in PARTS:
        amounts: Json = {}
        for limit in limits:
            if limit["type"] == "Container":
                amounts |= limit.get(field) or {}
        defaults[part] = amounts
    if not any(defaults.values()):
        return False
    said = [
        text
        for group, shown in GROUPS
        for container in pod["spec"].get(group) or ()
        for text in _given(container, defaults, shown)
    ]
    if said:
        annotations = pod["metadata"].get("annotations") or {}
        pod["metadata"]["annotations"] = {
            **annotations,
            ANNOTATION: f"LimitRanger plugin set: {'; '.join(said)}",
        }
    return bool(said)


def _given(container: Json, defaults: Json, shown: str) -> Iterator[str]:
    """Complete a container; what it was given."""
    resources = container["resources"] = dict(container.get("resources") or {})
    for part, _, called in PARTS:
        there = resources.get(part) or {}
        missing = {name: text for name, text in defaults[part].items() if name not in there}
        if missing:
            resources[part] = {**there, **missing}
            yield f"{', '.join(sorted(missing))} {called} for {shown} {container['name']}"


def _pod_faults(pod: Json, limits: list[Json]) -> Iterator[str]:
    spec = pod["spec"]
    for limit in limits:
        if limit["type"] == "Container":
            for group, _ in GROUPS:
                for container in spec.get(group) or ():
                    resources = container.get("resources") or {}
                    requests, most = parsed(resources.get("requests")), resources.get("limits")
                    yield from faults(limit, requests, parsed(most))
        elif limit["type"] == "Pod":
            yield from faults(limit, _sum(spec, "requests"), _sum(spec, "limits"))


def _sum(spec: Json, part: str) -> Amounts:
    """What the pod as a whole asks for: its own word counts before its containers' sum."""
    own = parsed((spec.get("resources") or {}).get(part))
    return {**aggregate(spec, part), **{name: own[name] for name in OF_PODS if name in own}}


def _claim_faults(claim: Json, limits: list[Json]) -> Iterator[str]:
    requests = parsed((claim["spec"].get("resources") or {}).get("requests"))
    for limit in limits:
        if limit["type"] == "PersistentVolumeClaim":
            yield from faults(limit, requests, None)
