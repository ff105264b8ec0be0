"""NamespaceLifecycle: nothing is created in a namespace that is not there, or is going."""

import msgspec

from argosy.api.core import Namespace
from argosy.apiserver.admission.rule import Attributes
from argosy.base.errors import not_found


def namespace_exists(attributes: Attributes) -> None:
    """Refuse to create in a missing or terminating namespace."""
    namespace = attributes.target.namespace
    if not namespace:
        return
    record = attributes.look(Namespace.resource.key(name=namespace))
    if record is None:
        raise not_found("namespaces", namespace)
    found = msgspec.json.decode(record.value, type=Namespace)
    if found.metadata.deletion_timestamp:
        error = attributes.refusal(
            f"unable to create new content in namespace {namespace} because it is being terminated"
        )
        cause = {
            "reason": "NamespaceTerminating",
            "message": f"namespace {namespace} is being terminated",
            "field": "metadata.namespace",
        }
        error.details["causes"] = [cause]
        raise error
