"""Rules that look at one node alone: its name, taints, labels, ports, features and images."""

from tests.scheduler.reference.kit import (
    BEST,
    Args,
    Cluster,
    Labels,
    Object,
    containers_of,
    init_containers_of,
    is_sidecar,
    labels_of,
    name_of,
    node_selector_matches,
    pods_on,
    shares_of_most,
    term_matches,
)

MIB = 1024 * 1024
_EVERY_ADDRESS = "0.0.0.0"
_UNSCHEDULABLE = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


def has_the_name(cluster: Cluster, pod: Object, node: Object, args: Args) -> bool:
    return pod["spec"].get("nodeName") in (None, "", name_of(node))


def tolerates(pod: Object, taint: Object) -> bool:
    return any(_tolerated_by(each, taint) for each in pod["spec"].get("tolerations") or [])


def _tolerated_by(toleration: Object, taint: Object) -> bool:
    """Lt and Gt are behind a gate that is closed in 1.36: such a toleration tolerates nothing."""
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("key") and toleration["key"] != taint["key"]:
        return False
    operator = toleration.get("operator") or "Equal"
    if operator == "Equal":
        return bool(toleration.get("value", "") == taint.get("value", ""))
    return bool(operator == "Exists")


def taints_tolerated(pod: Object, node: Object) -> bool:
    return all(
        tolerates(pod, taint)
        for taint in node.get("spec", {}).get("taints") or []
        if taint["effect"] in ("NoSchedule", "NoExecute")
    )


def is_schedulable(cluster: Cluster, pod: Object, node: Object, args: Args) -> bool:
    return not node.get("spec", {}).get("unschedulable") or tolerates(pod, _UNSCHEDULABLE)


def tolerates_taints(cluster: Cluster, pod: Object, node: Object, args: Args) -> bool:
    return taints_tolerated(pod, node)


def taint_scores(cluster: Cluster, pod: Object, nodes: list[Object], args: Args) -> dict[str, int]:
    """The fewer taints of PreferNoSchedule the pod does not tolerate, the better."""
    disliked = {
        name_of(node): sum(
            taint["effect"] == "PreferNoSchedule" and not tolerates(pod, taint)
            for taint in node.get("spec", {}).get("taints") or []
        )
        for node in nodes
    }
    return shares_of_most(disliked, fewer_is_better=True)


def node_affinity_of(pod: Object) -> Object:
    affinity: Object = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    return affinity


def required_by_pod(pod: Object, node: Object) -> bool:
    """The pod's nodeSelector and its required node affinity."""
    selector: Labels = pod["spec"].get("nodeSelector") or {}
    if any(labels_of(node).get(key) != value for key, value in selector.items()):
        return False
    required = node_affinity_of(pod).get("requiredDuringSchedulingIgnoredDuringExecution")
    return required is None or node_selector_matches(required, node)


def matches_affinity(cluster: Cluster, pod: Object, node: Object, args: Args) -> bool:
    added = args.get("addedAffinity") or {}
    enforced = added.get("requiredDuringSchedulingIgnoredDuringExecution")
    if enforced is not None and not node_selector_matches(enforced, node):
        return False
    return required_by_pod(pod, node)


def affinity_scores(
    cluster: Cluster, pod: Object, nodes: list[Object], args: Args
) -> dict[str, int]:
    """The weights of the preferred terms that match, the profile's and the pod's."""
    field = "preferredDuringSchedulingIgnoredDuringExecution"
    terms = (args.get("addedAffinity") or {}).get(field) or []
    terms = [*terms, *(node_affinity_of(pod).get(field) or [])]
    return shares_of_most(
        {
            name_of(node): sum(
                term["weight"] for term in terms if term_matches(term["preference"], node)
            )
            for node in nodes
        }
    )


def host_ports(pod: Object) -> list[tuple[str, str, int]]:
    """Address, protocol and port of what runs as long as the pod."""
    running = [c for c in init_containers_of(pod) if is_sidecar(c)] + containers_of(pod)
    return [
        (port.get("hostIP") or _EVERY_ADDRESS, port.get("protocol") or "TCP", port["hostPort"])
        for container in running
        for port in container.get("ports") or []
        if port.get("hostPort")
    ]


def ports_free(cluster: Cluster, pod: Object, node: Object, args: Args) -> bool:
    taken = [port for other in pods_on(cluster, name_of(node)) for port in host_ports(other)]
    return not any(_conflict(want, have) for want in host_ports(pod) for have in taken)


def _conflict(one: tuple[str, str, int], other: tuple[str, str, int]) -> bool:
    addresses = {one[0], other[0]}
    return one[1:] == other[1:] and (len(addresses) == 1 or _EVERY_ADDRESS in addresses)


def declares_features(cluster: Cluster, pod: Object, node: Object, args: Args) -> bool:
    """What the pod needs a node to say that it can do."""
    declared = node.get("status", {}).get("declaredFeatures") or []
    return all(feature in declared for feature in _features_needed(pod))


def _features_needed(pod: Object) -> list[str]:
    needed = []
    rules = [
        rule
        for container in containers_of(pod) + init_containers_of(pod)
        for rule in container.get("restartPolicyRules") or []
    ]
    if any(rule.get("action") == "RestartAllContainers" for rule in rules):
        needed.append("RestartAllContainersOnContainerExits")
    if pod["spec"].get("hostNetwork") and pod["spec"].get("hostUsers") is False:
        needed.append("UserNamespacesHostNetworkSupport")
    return needed


def image_scores(cluster: Cluster, pod: Object, nodes: list[Object], args: Args) -> dict[str, int]:
    """Bytes of the pod's images that a node has, less where few nodes have them.

    In floating point, as upstream: what is cut off depends on it.
    """
    containers = len(init_containers_of(pod)) + len(containers_of(pod))
    least, most = 23 * MIB, 1000 * MIB * containers
    wanted = _images_of(pod)
    scores = {}
    for node in nodes:
        held = sum(_held(cluster, node, image) for image in wanted)
        held = min(max(held, least), most)
        scores[name_of(node)] = BEST * (held - least) // (most - least)
    return scores


def _images_of(pod: Object) -> list[str]:
    images = [c.get("image", "") for c in init_containers_of(pod) + containers_of(pod)]
    for volume in pod["spec"].get("volumes") or []:
        if volume.get("image") is not None:
            images.append(volume["image"].get("reference", ""))
    return [i if i.rfind(":") > i.rfind("/") else f"{i}:latest" for i in images]


def _held(cluster: Cluster, node: Object, image: str) -> int:
    size = _size_on(node, image)
    if size is None:
        return 0
    everywhere = cluster["nodes"]
    have = sum(_size_on(other, image) is not None for other in everywhere)
    return int(float(size) * (have / len(everywhere)))


def _size_on(node: Object, image: str) -> int | None:
    """The first entry of that name counts."""
    for held in node.get("status", {}).get("images") or []:
        if image in (held.get("names") or []):
            size: int = held.get("sizeBytes", 0)
            return size
    return None
