"""DefaultTolerationSeconds: pods stay five minutes on a node that is not ready or can't be reached.

Only a pod that says itself what it tolerates there goes sooner, or later.
"""

from argosy.apiserver.admission.rule import Attributes, Json

SECONDS = 300
NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
EFFECT = "NoExecute"


def tolerate_for_a_while(attributes: Attributes) -> None:
    """Complete the tolerations of a pod."""
    spec = attributes.new["spec"]
    given = spec.get("tolerations")
    if not given:  # nearly every pod
        spec["tolerations"] = [_toleration(NOT_READY), _toleration(UNREACHABLE)]
        return
    missing = [key for key in (NOT_READY, UNREACHABLE) if not any(_covers(t, key) for t in given)]
    if missing:
        spec["tolerations"] = [*given, *map(_toleration, missing)]


def _covers(toleration: Json, key: str) -> bool:
    named = toleration.get("key") or key
    return named == key and (toleration.get("effect") or EFFECT) == EFFECT


def _toleration(key: str) -> Json:
    return {"effect": EFFECT, "key": key, "operator": "Exists", "tolerationSeconds": SECONDS}
