"""The types of what expressions of admission know beforehand: the request, and its namespace.

Source: upstream's BuildRequestType and BuildNamespaceType.
"""

from typing import Final

from argosy.api.cel.decltypes import MAX_REQUEST, DeclType
from argosy.api.cel.nodes import Kind


def list_of(element: DeclType) -> DeclType:
    """A list, as long as the largest request allows."""
    return DeclType("list", 2, (MAX_REQUEST - 2) // (element.least + 1), element=element)


def map_of(element: DeclType) -> DeclType:
    """A map from texts, likewise."""
    return DeclType("map", 2, (MAX_REQUEST - 2) // (element.least + 6), element=element)


def _of(**fields: DeclType) -> DeclType:
    return DeclType("message", 2, fields=fields)


_STRING: Final = DeclType("string", 2, MAX_REQUEST - 2)
_INT: Final = DeclType("int", 1)
_TIME: Final = DeclType("timestamp", 21, 32)
_STRINGS: Final = list_of(_STRING)
_LABELS: Final = map_of(_STRING)
_KIND: Final = _of(group=_STRING, version=_STRING, kind=_STRING)
_RESOURCE: Final = _of(group=_STRING, version=_STRING, resource=_STRING)

REQUEST_TYPE: Final = _of(
    kind=_KIND,
    resource=_RESOURCE,
    subResource=_STRING,
    requestKind=_KIND,
    requestResource=_RESOURCE,
    requestSubResource=_STRING,
    name=_STRING,
    namespace=_STRING,
    operation=_STRING,
    userInfo=_of(username=_STRING, uid=_STRING, groups=_STRINGS, extra=map_of(_STRINGS)),
    dryRun=DeclType("bool", 4),
    options=DeclType("dyn", 1),
)
NAMESPACE_TYPE: Final = _of(
    metadata=_of(
        name=_STRING,
        generateName=_STRING,
        namespace=_STRING,
        labels=_LABELS,
        annotations=_LABELS,
        UID=_STRING,
        creationTimestamp=_TIME,
        deletionGracePeriodSeconds=_INT,
        deletionTimestamp=_TIME,
        generation=_INT,
        resourceVersion=_STRING,
        finalizers=_STRINGS,
    ),
    spec=_of(finalizers=_STRINGS),
    status=_of(
        conditions=list_of(
            _of(
                status=_STRING,
                type=_STRING,
                lastTransitionTime=_TIME,
                message=_STRING,
                reason=_STRING,
            )
        ),
        phase=_STRING,
    ),
)

SCALARS: Final[dict[Kind, DeclType]] = {
    "bool": DeclType("bool", 4),
    "int": _INT,
    "double": DeclType("double", 1),
    "string": _STRING,
    "bytes": DeclType("bytes", 2, MAX_REQUEST - 2),
    "timestamp": _TIME,
    "duration": DeclType("duration", 3, 32),
}
DYNAMIC: Final = DeclType("dyn", 1)
