"""PodResizeValidator: a pod may not grow beyond what its node has at all."""

from collections.abc import Iterator

import msgspec

from argosy.api.podresources import aggregate
from argosy.api.resources.core import NODE
from argosy.apiserver.admission.rule import Attributes, Json
from argosy.base import quantity

OS = "kubernetes.io/os"


def fits_its_node(attributes: Attributes) -> None:
    """Refuse the resize of a pod on a node that can't follow."""
    new, old = attributes.new, attributes.old or {}
    name = new["spec"].get("nodeName")
    if not name or new["spec"] == old.get("spec"):
        return
    record = attributes.look(NODE.key(name=name))
    if record is None:
        raise attributes.refusal(f'node "{name}" not found')
    node: Json = msgspec.json.decode(record.value)
    system = (node["metadata"].get("labels") or {}).get(OS, "linux")
    if system != "linux":
        raise _refused(
            attributes,
            f'pod resize is only supported on linux nodes, node "{name}" is "{system}"',
            "UnsupportedPlatform",
        )
    if over := list(_over(new["spec"], (node.get("status") or {}).get("allocatable") or {})):
        text = f"node didn't have enough allocatable resources: {'; '.join(over)}"
        raise _refused(attributes, text, "NodeCapacity")


def _over(spec: Json, there: Json) -> Iterator[str]:
    requests = aggregate(spec, "requests")
    for name, units in (("cpu", quantity.milli), ("memory", quantity.whole)):
        asked, has = requests.get(name), quantity.parse(there.get(name, 0))
        if asked is not None and asked > has:
            yield f"{name}, requested: {units(str(asked))}, allocatable: {units(str(has))}"


def _refused(attributes: Attributes, text: str, reason: str) -> Exception:
    error = attributes.refusal(text)
    error.details["causes"] = [{"reason": reason}]
    return error
