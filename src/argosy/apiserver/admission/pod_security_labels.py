"""PodSecurity for namespaces: labels that say something, and a word about the pods that are there.

Pods that run are never stopped by labels, so whoever makes a namespace stricter is told which of
them would not be let in again.
"""

from collections.abc import Mapping
from functools import cache

import msgspec

from argosy.api.core import Pod
from argosy.apiserver.admission.rule import Attributes, Json
from argosy.base.errors import invalid
from argosy.security.podsecurity.exemptions import Exemptions
from argosy.security.podsecurity.levels import (
    MODES,
    PREFIX,
    Chosen,
    Policy,
    Standard,
    chosen,
    stricter,
)

MOST_BYTES = 2**25
"""Of stored pods that are read for the warnings. Upstream has a second for it, beside its other
requests; here they wait meanwhile, so there is a bound that no pods can stretch."""


def judge_namespace(attributes: Attributes, defaults: Policy, exempt: Exemptions) -> None:
    """Raises StatusError 422 for labels that are wrong, unless they were just as wrong before."""
    labels = _labels(attributes.new)
    after = chosen(labels, defaults)
    old = attributes.old
    before = None if old is None else chosen(_labels(old), defaults)
    if after.errors and (before is None or after.errors != before.errors):
        raise invalid("Namespace", "", attributes.name, after.errors)
    if before is not None and not _tightened(before, after):
        return
    name = attributes.new["metadata"]["name"]
    if name in exempt.namespaces:
        attributes.warnings += _ignored(name, after.policy, defaults, labels)
    elif before is not None:
        attributes.warnings += _of_pods(attributes, name, after.policy, exempt)


def newest(attributes: Attributes) -> int | None:
    """The minor that is served, where that is known."""
    gates = attributes.target.served.gates
    return None if gates is None else _number(gates.minor)


@cache
def _number(minor: str) -> int:
    return int(minor.partition(".")[2])


def _labels(namespace: Json) -> Mapping[str, str]:
    return namespace["metadata"].get("labels") or {}


def _tightened(before: Chosen, after: Chosen) -> bool:
    """Whether other pods may be refused than before."""
    old, new = before.policy.enforce, after.policy.enforce
    if new == old or new.level == "privileged":
        return False
    return new.minor != old.minor or stricter(new.level, old.level)


def _of_pods(
    attributes: Attributes, namespace: str, policy: Policy, exempt: Exemptions
) -> list[str]:
    from argosy.security.podsecurity.existing import ExistingPod, told  # few ever ask for it

    records = attributes.items(Pod.resource.key(namespace))
    left = MOST_BYTES
    pods: list[ExistingPod] = []
    for record in records:
        left -= len(record.value)
        if left < 0:
            break
        pods.append(msgspec.json.decode(record.value, type=ExistingPod))
    unread = len(records) - len(pods)
    if exempt.runtime_classes:
        pods = [pod for pod in pods if not exempt.runs_exempt(msgspec.json.decode(pod.spec))]
    total = len(pods) + unread
    return told(namespace, policy.enforce, pods, total=total, newest=newest(attributes))


def _ignored(name: str, policy: Policy, defaults: Policy, labels: Mapping[str, str]) -> list[str]:
    """That labels say something where nothing is judged."""
    if all(_alike(getattr(policy, mode), getattr(defaults, mode)) for mode in MODES):
        return []
    said = [
        f"{mode}={standard}"
        for mode in MODES
        if (standard := getattr(policy, mode)).level != "privileged"
        and (PREFIX + mode in labels or f"{PREFIX}{mode}-version" in labels)
    ]
    if not said:
        return []
    return [
        f'namespace "{name}" is exempt from Pod Security, '
        f"and the policy ({', '.join(said)}) will be ignored"
    ]


def _alike(one: Standard, other: Standard) -> bool:
    return one == other or one.level == other.level == "privileged"
