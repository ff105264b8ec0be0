"""DefaultIngressClass: an ingress that names no class gets the newest that is marked as default."""

from argosy.api.resources.network import INGRESS_CLASS
from argosy.apiserver.admission.defaulting import newest_default
from argosy.apiserver.admission.rule import Attributes

MARK = "ingressclass.kubernetes.io/is-default-class"
OLD_CLASS = "kubernetes.io/ingress.class"


def default_ingress_class(attributes: Attributes) -> None:
    """Name the default class in an ingress that names none, in whatever way."""
    ingress = attributes.new
    if OLD_CLASS in (ingress["metadata"].get("annotations") or {}):
        return
    spec = ingress.get("spec")
    if spec is None or spec.get("ingressClassName") is not None:
        return
    if name := newest_default(attributes, INGRESS_CLASS, (MARK,)):
        spec["ingressClassName"] = name
