"""The controllers of this room, on one account of which pods services select."""

from argosy.controllers.endpoints.left import left_endpoints
from argosy.controllers.endpoints.legacy import service_endpoints
from argosy.controllers.endpoints.mirroring import mirroring
from argosy.controllers.endpoints.slices import selected_by_services, service_slices
from argosy.runtime.manager import Manager


def add_endpoints(manager: Manager) -> None:
    """Keep Endpoints and EndpointSlices."""
    selection = selected_by_services(manager)
    manager.add(service_slices(manager, selection))
    manager.add(service_endpoints(manager, selection))
    manager.add(left_endpoints(manager))
    manager.add(mirroring(manager))
