"""All defaults by kind; what the schema of an own kind says comes before.

The object is structurally valid when its function runs, and is changed in place.
"""

from collections.abc import Callable, Mapping

from argosy.api.defaults import ai, core, devices
from argosy.api.defaults.fill import Json
from argosy.api.defaults.pods import pod

DEFAULTS: Mapping[str, Callable[[Json], None]] = {
    "Pod": pod,
    **core.DEFAULTS,
    **devices.DEFAULTS,
    **ai.DEFAULTS,
}
