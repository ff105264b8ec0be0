"""Defaults of `networking.k8s.io`."""

from collections.abc import Callable, Mapping

from argosy.api.defaults.fill import Json


def _network_policy(policy: Json) -> None:
    spec = policy.setdefault("spec", {})
    for rule in (*(spec.get("ingress") or ()), *(spec.get("egress") or ())):
        for port in rule.get("ports") or ():
            port.setdefault("protocol", "TCP")
    if not spec.get("policyTypes"):
        kinds = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
        spec["policyTypes"] = kinds


def _ingress_class(ingress: Json) -> None:
    parameters = (ingress.get("spec") or {}).get("parameters")
    if parameters is not None:
        parameters.setdefault("scope", "Cluster")


DEFAULTS: Mapping[str, Callable[[Json], None]] = {
    "IngressClass": _ingress_class,
    "NetworkPolicy": _network_policy,
}
