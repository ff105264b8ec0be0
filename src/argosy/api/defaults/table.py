"""All defaults by kind; what the schema of an own kind says comes before.

The object is structurally valid when its function runs, and is changed in place.
"""

from collections.abc import Callable, Mapping

from argosy.api.defaults import (
    admission,
    ai,
    core,
    devices,
    flowcontrol,
    networking,
    placement,
    rbac,
    registration,
    storage,
    workloads,
)
from argosy.api.defaults.fill import Json
from argosy.api.defaults.pods import pod

DEFAULTS: Mapping[str, Callable[[Json], None]] = {
    "Pod": pod,
    **admission.DEFAULTS,
    **ai.DEFAULTS,
    **core.DEFAULTS,
    **devices.DEFAULTS,
    **flowcontrol.DEFAULTS,
    **networking.DEFAULTS,
    **placement.DEFAULTS,
    **rbac.DEFAULTS,
    **registration.DEFAULTS,
    **storage.DEFAULTS,
    **workloads.DEFAULTS,
}
