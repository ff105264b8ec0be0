"""What a write makes of an APIService, beside what it says."""

from collections.abc import Callable, Mapping

from argosy.api.defaults.fill import Json

Prepare = Callable[[Json, Json | None], None]


def _api_service(api: Json) -> None:
    service = (api.get("spec") or {}).get("service")
    if service is not None:
        service.setdefault("port", 443)


def _local(new: Json, old: Json | None) -> None:
    """What is served here is available from the beginning."""
    if old is None and (new.get("spec") or {}).get("service") is None:
        condition = {
            "lastTransitionTime": new["metadata"]["creationTimestamp"],
            "message": "Local APIServices are always available",
            "reason": "Local",
            "status": "True",
            "type": "Available",
        }
        new["status"] = {"conditions": [condition]}


DEFAULTS: Mapping[str, Callable[[Json], None]] = {"APIService": _api_service}
PREPARE: Mapping[tuple[str, str], Prepare] = {("APIService", ""): _local}
