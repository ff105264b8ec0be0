"""How many pods a rollout may have too much or too little, and how a change of scale is shared out.

Percentages are of the replicas asked for: a surge is rounded up, what may be missing down.
"""

import math
import re
from collections.abc import Mapping

from argosy.api.replicas import Deployment, ReplicaSet

DESIRED = "deployment.kubernetes.io/desired-replicas"
MAXIMUM = "deployment.kubernetes.io/max-replicas"
LARGEST = 2**31 - 1
_PERCENT = re.compile(r"([0-9]{1,9})%", re.ASCII)


def rolling(deployment: Deployment) -> bool:
    """Whether pods are replaced some at a time."""
    return deployment.spec.strategy.type == "RollingUpdate"


def max_surge(deployment: Deployment) -> int:
    """So many pods more than asked for may be there."""
    if not rolling(deployment):
        return 0
    return _part(deployment.spec.strategy.rolling_update.max_surge, deployment, up=True)


def max_unavailable(deployment: Deployment) -> int:
    """So many of the pods asked for may be missing. Where nothing else may move, one may."""
    replicas = deployment.spec.replicas
    if not rolling(deployment) or replicas == 0:
        return 0
    missing = _part(deployment.spec.strategy.rolling_update.max_unavailable, deployment, up=False)
    if missing == 0 and max_surge(deployment) == 0:
        return 1
    return min(missing, replicas)


def _part(amount: int | str, deployment: Deployment, *, up: bool) -> int:
    if isinstance(amount, int):
        return amount
    percent = _PERCENT.fullmatch(amount)
    if percent is None:
        raise ValueError(f"invalid value for IntOrString: {amount!r} is not a percentage")
    share = int(percent[1]) * deployment.spec.replicas
    return -(-share // 100) if up else share // 100


def annotated(annotations: Mapping[str, str], name: str) -> int | None:
    """A number of pods that an annotation tells."""
    text = annotations.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        return None
    return number if (number := int(text)) <= LARGEST else None


def fraction(replicas: int, annotations: Mapping[str, str], deployment: Deployment) -> int:
    """By how many a set of `replicas` grows or shrinks, to keep its part of the Deployment."""
    if deployment.spec.replicas == 0:
        return -replicas
    before = annotated(annotations, MAXIMUM) or deployment.status.replicas
    if before == 0:
        return 0
    share = replicas * (deployment.spec.replicas + max_surge(deployment)) / before
    return math.floor(share + 0.5) - replicas


def saturated(deployment: Deployment, new: ReplicaSet | None) -> bool:
    """Whether the newest set has all that is asked for, and all of it is available."""
    wanted = deployment.spec.replicas
    return (
        new is not None
        and new.spec.replicas == wanted
        and annotated(new.metadata.annotations, DESIRED) == wanted
        and new.status.available_replicas == wanted
    )
