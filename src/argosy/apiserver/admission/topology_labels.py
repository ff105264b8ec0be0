"""PodTopologyLabels: a pod that is put on a node gets the node's zone and region as labels."""

import msgspec

from argosy.api.meta import PartialObject
from argosy.api.resources.core import NODE
from argosy.apiserver.admission.rule import Attributes

GATE = "PodTopologyLabelsAdmission"
LABELS = ("topology.kubernetes.io/zone", "topology.kubernetes.io/region")


def label_by_topology(attributes: Attributes) -> None:
    """Label a binding, or a pod that names its node itself."""
    new = attributes.new
    if attributes.target.subresource:
        target = new.get("target") or {}
        name = target.get("name") if target.get("kind") == "Node" else ""
    else:
        name = new["spec"].get("nodeName")
    gates = attributes.target.served.gates
    if not name or not (gates is None or gates.open(GATE)):
        return
    record = attributes.look(NODE.key(name=name))
    if record is None:
        return
    known = msgspec.json.decode(record.value, type=PartialObject).metadata.labels
    if copied := {key: known[key] for key in LABELS if key in known}:
        meta = new["metadata"]
        meta["labels"] = {**(meta.get("labels") or {}), **copied}
