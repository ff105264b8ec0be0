"""VolumeBinding: can a node reach the pod's volumes, or get those that are not bound yet?"""

from decimal import Decimal

from argosy.base import quantity
from tests.scheduler.reference.kit import (
    Args,
    Cluster,
    Labels,
    Object,
    labels_of,
    name_of,
    named,
    namespace_of,
    node_selector_matches,
    requirement_matches,
    selector_matches,
    terminating,
)
from tests.scheduler.reference.volumes import all_claims, class_of, made_for

_BOUND = "pv.kubernetes.io/bind-completed"
_CHOSEN = "volume.kubernetes.io/selected-node"


def binds(cluster: Cluster, pod: Object, node: Object, args: Args) -> bool:
    waiting: list[Object] = []
    for name, ephemeral in all_claims(pod):
        claim = named(cluster, "pvcs", name, namespace_of(pod))
        if claim is None or not _usable(claim) or (ephemeral and not made_for(claim, pod)):
            return False
        if _is_bound(claim):
            if not _reaches(cluster, claim, node):
                return False
        elif _may_wait(cluster, claim):
            waiting.append(claim)
        else:
            return False
    return _all_found(cluster, waiting, node)


def _usable(claim: Object) -> bool:
    return claim.get("status", {}).get("phase") != "Lost" and not terminating(claim)


def _annotations(item: Object) -> Labels:
    return item["metadata"].get("annotations") or {}


def _is_bound(claim: Object) -> bool:
    return bool(claim["spec"].get("volumeName")) and _BOUND in _annotations(claim)


def _may_wait(cluster: Cluster, claim: Object) -> bool:
    """Nothing chosen yet, and its class says to wait for a pod."""
    found = named(cluster, "storageclasses", class_of(claim))
    waits = found is not None and found.get("volumeBindingMode") == "WaitForFirstConsumer"
    return waits and not claim["spec"].get("volumeName")


def _reaches(cluster: Cluster, claim: Object, node: Object) -> bool:
    volume = named(cluster, "pvs", claim["spec"]["volumeName"])
    return volume is not None and _is_near(volume, node)


def _is_near(volume: Object, node: Object) -> bool:
    required = (volume["spec"].get("nodeAffinity") or {}).get("required")
    return required is None or node_selector_matches(required, node)


def _all_found(cluster: Cluster, claims: list[Object], node: Object) -> bool:
    """Smallest claim first: each takes the smallest volume that will do, or one is made."""
    made: list[Object] = []
    searching: list[Object] = []
    for claim in claims:
        chosen = _annotations(claim).get(_CHOSEN)
        if chosen is None:
            searching.append(claim)
        elif chosen == name_of(node):
            made.append(claim)
        else:
            return False
    taken: list[str] = []
    for claim in sorted(searching, key=_bytes_asked):
        volume = _smallest(cluster, claim, node, taken)
        if volume is None:
            made.append(claim)
        else:
            taken.append(name_of(volume))
    return all(_can_be_made(cluster, claim, node) for claim in made)


def _bytes_asked(claim: Object) -> Decimal:
    requests = (claim["spec"].get("resources") or {}).get("requests") or {}
    return quantity.parse(requests.get("storage", "0"))


def _bytes_of(volume: Object) -> Decimal:
    return quantity.parse((volume["spec"].get("capacity") or {}).get("storage", "0"))


def _smallest(cluster: Cluster, claim: Object, node: Object, taken: list[str]) -> Object | None:
    """A volume that names the claim goes before all others, and if out of reach, none will do."""
    fitting = [
        volume
        for volume in cluster.get("pvs", [])
        if class_of(volume) == class_of(claim)
        and name_of(volume) not in taken
        and _could_hold(volume, claim)
    ]
    for volume in fitting:
        if volume["spec"].get("claimRef") is not None:
            return volume if _is_near(volume, node) else None
    free = [v for v in fitting if _is_near(v, node) and _is_free(v, claim)]
    return min(free, key=_bytes_of, default=None)


def _could_hold(volume: Object, claim: Object) -> bool:
    spec, wanted = volume["spec"], claim["spec"]
    owner = spec.get("claimRef")
    return (
        (owner is None or _names(owner, claim))
        and _bytes_of(volume) >= _bytes_asked(claim)
        and spec.get("volumeMode", "Filesystem") == wanted.get("volumeMode", "Filesystem")
        and (spec.get("volumeAttributesClassName") or "")
        == (wanted.get("volumeAttributesClassName") or "")
        and not terminating(volume)
    )


def _names(owner: Object, claim: Object) -> bool:
    same = (owner["name"], owner["namespace"]) == (name_of(claim), namespace_of(claim))
    return same and owner.get("uid") in (None, "", claim["metadata"].get("uid"))


def _is_free(volume: Object, claim: Object) -> bool:
    selector = claim["spec"].get("selector")
    modes = volume["spec"].get("accessModes") or []
    return (
        volume.get("status", {}).get("phase") == "Available"
        and (selector is None or selector_matches(selector, labels_of(volume)))
        and all(mode in modes for mode in claim["spec"].get("accessModes") or [])
    )


def _can_be_made(cluster: Cluster, claim: Object, node: Object) -> bool:
    found = named(cluster, "storageclasses", class_of(claim))
    if found is None or found.get("provisioner") in (None, "", "kubernetes.io/no-provisioner"):
        return False
    terms = found.get("allowedTopologies") or []
    if terms and not any(_topology_matches(term, node) for term in terms):
        return False
    return _has_capacity(cluster, claim, found, node)


def _topology_matches(term: Object, node: Object) -> bool:
    lines = term.get("matchLabelExpressions") or []
    return bool(lines) and all(
        requirement_matches({**line, "operator": "In"}, labels_of(node)) for line in lines
    )


def _has_capacity(cluster: Cluster, claim: Object, found: Object, node: Object) -> bool:
    """Only of drivers that publish what they have."""
    driver = named(cluster, "csidrivers", found["provisioner"])
    if driver is None or not driver["spec"].get("storageCapacity"):
        return True
    return any(
        capacity["storageClassName"] == name_of(found)
        and quantity.parse(capacity.get("maximumVolumeSize") or capacity.get("capacity") or "-1")
        >= _bytes_asked(claim)
        and selector_matches(capacity.get("nodeTopology"), labels_of(node))
        for capacity in cluster.get("csistoragecapacities", [])
    )
