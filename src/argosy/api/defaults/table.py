"""All defaults of built-in kinds, by kind; own kinds have theirs in the schema.

The object is structurally valid when its function runs, and is changed in place.
Source: Kubernetes' API reference.
"""

from collections.abc import Callable, Mapping

from argosy.api.defaults import core, devices
from argosy.api.defaults.fill import Json
from argosy.api.defaults.pods import pod

DEFAULTS: Mapping[str, Callable[[Json], None]] = {
    "Pod": pod,
    **core.DEFAULTS,
    **devices.DEFAULTS,
}
