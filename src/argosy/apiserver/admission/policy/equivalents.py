"""The other versions and groups in which the same objects are served.

Those of built-in kinds stand in the table of kinds, those of kinds that users define in their
definitions: what depends on one is true for one revision of it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import msgspec

from argosy.api.extensions.definition import CustomResourceDefinition
from argosy.api.kinds import RESOURCES
from argosy.api.resource import Resource
from argosy.api.resources.extensions import CUSTOM_RESOURCE_DEFINITION
from argosy.api.schema import Definitions
from argosy.apiserver.admission.rule import Attributes


@lru_cache(maxsize=1)
def _built_in() -> Mapping[str, Sequence[Resource]]:
    """All kinds of the table, by where their objects are stored."""
    found: dict[str, list[Resource]] = defaultdict(list)
    for resource in RESOURCES:
        found[resource.key()].append(resource)
    return dict(found)


def _has(definitions: Definitions, resource: Resource) -> bool:
    """Whether the served minor has that version."""
    if not resource.definition:
        return True
    try:
        definitions(resource.definition)
    except KeyError:
        return False
    return True


class Equivalents:
    """Tells what else a request could have named."""

    def state(self, attributes: Attributes) -> int | None:
        """What changes whenever the versions of the request's kind may have changed; None where
        they never do.
        """
        resource = attributes.target.served.resource
        if resource.definition or resource.key() in _built_in():
            return None
        record = attributes.look(CUSTOM_RESOURCE_DEFINITION.key(name=resource.qualified))
        return 0 if record is None else record.revision

    def of(self, attributes: Attributes) -> list[Resource]:
        """The others, in the order in which they are served."""
        served = attributes.target.served
        resource = served.resource
        known = _built_in().get(resource.key())
        if known is not None:
            return [
                other
                for other in known
                if other != resource and other.on and _has(served.definitions, other)
            ]
        record = attributes.look(CUSTOM_RESOURCE_DEFINITION.key(name=resource.qualified))
        if record is None:
            return []
        whole = msgspec.json.decode(record.value, type=CustomResourceDefinition)
        return [
            replace(resource, version=one.name)
            for one in whole.spec.versions
            if one.served and one.name != resource.version
        ]
