"""Which sort of resource a name stands for: what counts where depends on it.

Source: Kubernetes' "Resource Management for Pods and Containers", and its validation of names.
"""

from functools import lru_cache

from argosy.api.names import qualified_faults

OF_NODES = ("cpu", "memory", "ephemeral-storage")
"""What every node has."""

_NATIVE = "kubernetes.io/"


@lru_cache(maxsize=1024)
def extended(name: str) -> bool:
    """Whether it is neither Kubernetes' own nor a quota's: a device plugin's, most often."""
    if "/" not in name or _NATIVE in name or name.startswith("requests."):
        return False
    return not qualified_faults(f"requests.{name}")


@lru_cache(maxsize=1024)
def scalar(name: str) -> bool:
    """Whether it is counted on a node beside what every node has."""
    return (
        name.startswith(("hugepages-", "attachable-volumes-")) or _NATIVE in name or extended(name)
    )


def counted(name: str) -> bool:
    """Whether a node's pods may use it up."""
    return name in OF_NODES or scalar(name)


def for_whole_pods(name: str) -> bool:
    """Whether a pod may ask for it as a whole (KEP-2837)."""
    return name in ("cpu", "memory") or name.startswith("hugepages-")
