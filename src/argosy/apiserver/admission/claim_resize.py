"""PersistentVolumeClaimResize: a claim grows where its class allows it, and once it is bound."""

import msgspec

from argosy.api.resources.storage import STORAGE_CLASS
from argosy.apiserver.admission.rule import Attributes, Json
from argosy.apiserver.admission.storage_class import class_of
from argosy.base import quantity


def may_grow(attributes: Attributes) -> None:
    """Refuse a claim that asks for more than before, where it can't get it."""
    new, old = attributes.new, attributes.old or {}
    if _asked(new) <= _asked(old):
        return
    if (old.get("status") or {}).get("phase") != "Bound":
        raise attributes.refusal("Only bound persistent volume claims can be expanded")
    if not _expandable(attributes, class_of(new), class_of(old)):
        raise attributes.refusal(
            "only dynamically provisioned pvc can be resized and the storageclass that provisions "
            "the pvc must support resize"
        )


def _asked(claim: Json) -> int:
    requests = (claim["spec"].get("resources") or {}).get("requests") or {}
    return quantity.milli(requests.get("storage", 0))


def _expandable(attributes: Attributes, new: str, old: str) -> bool:
    record = attributes.look(STORAGE_CLASS.key(name=new)) if new and new == old else None
    if record is None:
        return False
    return bool(msgspec.json.decode(record.value).get("allowVolumeExpansion"))
