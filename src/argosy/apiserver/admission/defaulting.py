"""The newest of the classes that an annotation marks as the default one."""

from collections.abc import Iterable

import msgspec

from argosy.api.meta import PartialObject
from argosy.api.resource import Resource
from argosy.apiserver.admission.rule import Attributes


def newest_default(attributes: Attributes, resource: Resource, marks: Iterable[str]) -> str:
    """Its name; of several that are as new, the first one's. Empty where there is none."""
    marked = []
    for record in attributes.items(resource.key()):
        meta = msgspec.json.decode(record.value, type=PartialObject).metadata
        if any(meta.annotations.get(mark) == "true" for mark in marks):
            marked.append(meta)
    marked.sort(key=lambda meta: meta.name)
    newest = max(marked, key=lambda meta: meta.creation_timestamp or "", default=None)
    return "" if newest is None else newest.name
