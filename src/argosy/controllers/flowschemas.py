"""Says of each flow schema whether its priority level is there (condition `Dangling`).

Source: apiserver's `util/flowcontrol/apf_controller.go`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.api.flowcontrol import FlowSchema, PriorityLevelConfiguration
from argosy.api.meta import Condition, Key
from argosy.base.clock import Clock, timestamp
from argosy.client.client import Client
from argosy.runtime.conditions import with_condition
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

NAME = "controllers/flowschemas"
_REFERENCE = 'This FlowSchema references the PriorityLevelConfiguration object named "{}"'


@dataclass(frozen=True)
class Dangling:
    """Keeps the condition."""

    client: Client
    clock: Clock
    levels: Informer[PriorityLevelConfiguration]

    async def reconcile(self, schema: FlowSchema) -> Result:
        """Tell what is new."""
        level = schema.spec.priority_level_configuration.name
        known = schema.status.conditions
        there = self.levels.get("", level) is not None
        found = with_condition(known, condition(level, there), timestamp(self.clock.now()))
        if found == known:
            return DONE
        meta = schema.metadata
        patch: dict[str, Any] = {
            "metadata": {"uid": meta.uid, "resourceVersion": meta.resource_version},
            "status": {"conditions": msgspec.to_builtins(found)},
        }
        await self.client.merge(schema.resource, meta.name, "", patch, subresource="status")
        return DONE


def condition(level: str, there: bool) -> Condition:
    """The condition, without its time."""
    text = _REFERENCE.format(level)
    if there:
        return Condition(
            type="Dangling", status="False", reason="Found", message=f"{text} and it exists"
        )
    text += " but there is no such object"
    return Condition(type="Dangling", status="True", reason="NotFound", message=text)


def flow_schemas(manager: Manager) -> Controller[FlowSchema]:
    """The controller, on the manager's caches."""
    schemas = manager.informer(FlowSchema)
    levels = manager.informer(PriorityLevelConfiguration)

    def leading_to(level: PriorityLevelConfiguration) -> Iterable[Key]:
        for schema in schemas.items():
            if schema.spec.priority_level_configuration.name == level.metadata.name:
                yield schema.key

    controller = Dangling(manager.client_as(NAME), manager.clock, levels)
    return Controller(
        name=NAME,
        informer=schemas,
        reconcile=controller.reconcile,
        watches=(Watch(levels, leading_to),),
        workers=1,
    )
