"""What may not be deleted, by name: a cluster could not be without it.

Upstream this is the lifecycle plugin's work for namespaces, and for priority classes their
registry's.
"""

from collections.abc import Mapping

from argosy.apiserver.admission.rule import Attributes

PROTECTED: Mapping[str, tuple[frozenset[str], str]] = {
    "namespaces": (
        frozenset({"default", "kube-public", "kube-system"}),
        "this namespace may not be deleted",
    ),
    "priorityclasses.scheduling.k8s.io": (
        frozenset({"system-cluster-critical", "system-node-critical"}),
        "this is a system priority class and cannot be deleted",
    ),
}


def stays(attributes: Attributes) -> None:
    """Refuse to delete what must stay."""
    names, why = PROTECTED[attributes.target.served.resource.qualified]
    if attributes.target.name in names:
        raise attributes.refusal(why)
