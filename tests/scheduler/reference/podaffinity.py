"""InterPodAffinity: pods that want, or do not want, to be near one another.

matchLabelKeys and mismatchLabelKeys are no matter of the scheduler: admission has merged them into
the terms' selectors (`clusters.admitted` does the same).
"""

from collections.abc import Iterator

from tests.scheduler.reference.kit import (
    BEST,
    Args,
    Cluster,
    Object,
    labels_of,
    name_of,
    named,
    namespace_of,
    placed,
    selector_matches,
)

_HARD = "requiredDuringSchedulingIgnoredDuringExecution"
_SOFT = "preferredDuringSchedulingIgnoredDuringExecution"


def terms_of(pod: Object, kind: str, field: str) -> list[Object]:
    affinity = (pod["spec"].get("affinity") or {}).get(kind) or {}
    terms: list[Object] = affinity.get(field) or []
    return terms


def term_selects(cluster: Cluster, owner: Object, term: Object, other: Object) -> bool:
    """Does `other` lie in the namespaces of the owner's term, and has it the labels?"""
    return _in_namespaces(cluster, owner, term, other) and selector_matches(
        term.get("labelSelector"), labels_of(other)
    )


def _in_namespaces(cluster: Cluster, owner: Object, term: Object, other: Object) -> bool:
    """Those listed and those selected; the owner's own if neither is said."""
    listed = term.get("namespaces") or []
    selector = term.get("namespaceSelector")
    if not listed and selector is None:
        return namespace_of(other) == namespace_of(owner)
    namespace = named(cluster, "namespaces", namespace_of(other))
    labels = labels_of(namespace) if namespace else {}
    return namespace_of(other) in listed or selector_matches(selector, labels)


def _near(node: Object, other: Object, term: Object) -> bool:
    """Both have the term's topology label, with the same value."""
    key = term["topologyKey"]
    return key in labels_of(node) and labels_of(node).get(key) == labels_of(other).get(key)


def affine(cluster: Cluster, pod: Object, node: Object, args: Args) -> bool:
    return (
        _near_friends(cluster, pod, node)
        and not _near_foes(cluster, pod, node)
        and not _unwelcome(cluster, pod, node)
    )


def _near_friends(cluster: Cluster, pod: Object, node: Object) -> bool:
    """For each term, a pod that matches all terms is near.

    The first of a series that wants its own kind may go anywhere that has the labels, as long as no
    such pod is anywhere that has one of them.
    """
    terms = terms_of(pod, "podAffinity", _HARD)
    if any(term["topologyKey"] not in labels_of(node) for term in terms):
        return False
    friends = [
        there
        for other, there in placed(cluster)
        if all(term_selects(cluster, pod, term, other) for term in terms)
    ]
    if all(any(_near(node, there, term) for there in friends) for term in terms):
        return True
    located = any(term["topologyKey"] in labels_of(there) for there in friends for term in terms)
    return not located and all(term_selects(cluster, pod, term, pod) for term in terms)


def _near_foes(cluster: Cluster, pod: Object, node: Object) -> bool:
    return any(
        term_selects(cluster, pod, term, other) and _near(node, there, term)
        for term in terms_of(pod, "podAntiAffinity", _HARD)
        for other, there in placed(cluster)
    )


def _unwelcome(cluster: Cluster, pod: Object, node: Object) -> bool:
    """Would a pod that is there already not have it near?"""
    return any(
        term_selects(cluster, other, term, pod) and _near(node, there, term)
        for other, there in placed(cluster)
        for term in terms_of(other, "podAntiAffinity", _HARD)
    )


def affine_scores(cluster: Cluster, pod: Object, nodes: list[Object], args: Args) -> dict[str, int]:
    """The weights of all preferences, the pod's and its neighbours', from worst to best.

    In floating point, as upstream.
    """
    asks = any(terms_of(pod, kind, _SOFT) for kind in ("podAffinity", "podAntiAffinity"))
    if args.get("ignorePreferredTermsOfExistingPods") and not asks:
        return {name_of(node): 0 for node in nodes}
    wishes = list(_wishes(cluster, pod, args.get("hardPodAffinityWeight", 1)))
    raw = {
        name_of(node): sum(weight for term, there, weight in wishes if _near(node, there, term))
        for node in nodes
    }
    least, most = min(raw.values(), default=0), max(raw.values(), default=0)
    if least == most:
        return dict.fromkeys(raw, 0)
    return {name: int(BEST * ((score - least) / (most - least))) for name, score in raw.items()}


def _wishes(
    cluster: Cluster, pod: Object, hard_weight: int
) -> Iterator[tuple[Object, Object, int]]:
    """Terms that hold between the pod and a placed one, with the latter's node and a weight."""
    signs = (("podAffinity", 1), ("podAntiAffinity", -1))
    for other, there in placed(cluster):
        for kind, sign in signs:
            for mine in terms_of(pod, kind, _SOFT):
                if term_selects(cluster, pod, mine["podAffinityTerm"], other):
                    yield mine["podAffinityTerm"], there, sign * mine["weight"]
            for theirs in terms_of(other, kind, _SOFT):
                if term_selects(cluster, other, theirs["podAffinityTerm"], pod):
                    yield theirs["podAffinityTerm"], there, sign * theirs["weight"]
        for term in terms_of(other, "podAffinity", _HARD):
            if term_selects(cluster, other, term, pod):
                yield term, there, hard_weight
