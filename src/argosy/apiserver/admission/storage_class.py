"""DefaultStorageClass and PersistentVolumeClaimResize's question: which class a claim is of.

DefaultStorageClass gives a claim that names no class the newest of those that are marked so.
"""

from argosy.api.resources.storage import STORAGE_CLASS
from argosy.apiserver.admission.defaulting import newest_default
from argosy.apiserver.admission.rule import Attributes, Json

MARKS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
OLD_CLASS = "volume.beta.kubernetes.io/storage-class"
"""The annotation by which claims named their class before there was a field."""


def default_storage_class(attributes: Attributes) -> None:
    """Name the default class in a claim that names none, not even the empty one."""
    claim = attributes.new
    if OLD_CLASS in (claim["metadata"].get("annotations") or {}):
        return
    if claim["spec"].get("storageClassName") is not None:
        return
    if name := newest_default(attributes, STORAGE_CLASS, MARKS):
        claim["spec"]["storageClassName"] = name


def class_of(claim: Json) -> str:
    """The class that a claim names, if any."""
    annotations = claim["metadata"].get("annotations") or {}
    return str(annotations.get(OLD_CLASS) or claim["spec"].get("storageClassName") or "")
