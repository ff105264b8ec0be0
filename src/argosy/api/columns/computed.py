"""All columns that no path can tell, by the name that stands in a `Column`'s place of a path."""

from collections.abc import Callable, Mapping
from datetime import datetime

from argosy.api.columns import access, cluster, components, core, pods, registration, workloads
from argosy.api.columns.text import Cell, Json

COMPUTED: Mapping[str, Callable[[Json, datetime], Cell]] = {
    **core.CELLS,
    **pods.CELLS,
    **workloads.CELLS,
    **cluster.CELLS,
    **components.CELLS,
    **access.CELLS,
    **registration.CELLS,
}
