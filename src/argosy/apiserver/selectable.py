"""Which fields a selector may name: those that Kubernetes has for the kind, no others.

Any other is an error, so that a misspelt one doesn't look like "none found".
"""

from collections.abc import Mapping

from argosy.base.errors import bad_request
from argosy.base.selectors import FieldSelector, FieldTerm

EVERYWHERE = frozenset({"metadata.name", "metadata.namespace"})
FIELDS: Mapping[str, frozenset[str]] = {
    "CertificateSigningRequest": frozenset({"spec.signerName"}),
    "ClusterTrustBundle": frozenset({"spec.signerName"}),
    "Event": frozenset(
        {
            "involvedObject.apiVersion",
            "involvedObject.fieldPath",
            "involvedObject.kind",
            "involvedObject.name",
            "involvedObject.namespace",
            "involvedObject.resourceVersion",
            "involvedObject.uid",
            "reason",
            "reportingComponent",
            "type",
        }
    ),
    "Event.events.k8s.io": frozenset(
        {
            "reason",
            "regarding.apiVersion",
            "regarding.fieldPath",
            "regarding.kind",
            "regarding.name",
            "regarding.namespace",
            "regarding.resourceVersion",
            "regarding.uid",
            "reportingController",
            "type",
        }
    ),
    "Namespace": frozenset({"status.phase"}),
    "Node": frozenset({"spec.unschedulable"}),
    "Pod": frozenset(
        {
            "spec.hostNetwork",
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "status.nominatedNodeName",
            "status.phase",
            "status.podIP",
        }
    ),
    "PodCertificateRequest": frozenset({"spec.nodeName", "spec.podName", "spec.signerName"}),
    "ResourceSlice": frozenset({"spec.driver", "spec.nodeName"}),
    "Secret": frozenset({"type"}),
    "Service": frozenset({"spec.clusterIP", "spec.type"}),
}
BOOLEANS = frozenset({"spec.hostNetwork", "spec.unschedulable"})
"""Where absent is false."""


def selectable(
    kind: str, selector: FieldSelector, also: frozenset[str] = frozenset()
) -> FieldSelector:
    """`selector`, if the kind can be selected by its fields, or by those of `also`. Raises
    StatusError 400.
    """
    allowed = EVERYWHERE | FIELDS.get(kind, frozenset()) | also
    for term in selector.terms:
        if (name := ".".join(term.path)) not in allowed:
            raise bad_request(f"field label not supported: {name[:64]}")
    return FieldSelector(tuple(_present(term) for term in selector.terms))


def _present(term: FieldTerm) -> FieldTerm:
    """A term that says the same without an absent field's `false`."""
    if ".".join(term.path) in BOOLEANS and term.value == "false":
        return FieldTerm(term.path, "true", not term.equal)
    return term
