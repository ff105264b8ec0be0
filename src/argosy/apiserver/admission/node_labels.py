"""The labels of Kubernetes' own that a node may not give itself: they decide what runs there."""

from collections.abc import Mapping

RESTRICTED = "node-restriction.kubernetes.io"
OWN = ("kubernetes.io", "k8s.io")
ALLOWED = frozenset(
    {
        "beta.kubernetes.io/arch",
        "beta.kubernetes.io/instance-type",
        "beta.kubernetes.io/os",
        "failure-domain.beta.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone",
        "kubernetes.io/arch",
        "kubernetes.io/hostname",
        "kubernetes.io/os",
        "node.kubernetes.io/instance-type",
        "topology.kubernetes.io/region",
        "topology.kubernetes.io/zone",
    }
)
ALLOWED_BELOW = ("kubelet.kubernetes.io", "node.kubernetes.io")


def forbidden_labels(after: Mapping[str, str], before: Mapping[str, str]) -> list[str]:
    """The labels that change and that are not the node's to change, in order."""
    every = after.keys() | before.keys()
    changed = (key for key in every if after.get(key) != before.get(key))
    return sorted(key for key in changed if _forbidden(key))


def _forbidden(key: str) -> bool:
    domain = key.partition("/")[0] if "/" in key else ""
    if _within(domain, RESTRICTED):
        return True
    if not any(_within(domain, own) for own in OWN):
        return False
    return key not in ALLOWED and not any(_within(domain, allowed) for allowed in ALLOWED_BELOW)


def _within(domain: str, parent: str) -> bool:
    return domain == parent or domain.endswith(f".{parent}")
