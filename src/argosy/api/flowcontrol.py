"""Views of `flowcontrol.apiserver.k8s.io`."""

from typing import ClassVar

from argosy.api.meta import Condition, Object, View
from argosy.api.resource import Resource
from argosy.api.resources.control import FLOW_SCHEMA, PRIORITY_LEVEL


class LevelReference(View, frozen=True, kw_only=True):
    """A priority level by name."""

    name: str = ""


class FlowSchemaSpec(View, frozen=True, kw_only=True):
    """Of a flow schema what its condition is about."""

    priority_level_configuration: LevelReference = LevelReference()


class FlowSchemaStatus(View, frozen=True, kw_only=True):
    """What is said of it."""

    conditions: tuple[Condition, ...] = ()


class FlowSchema(Object, frozen=True, kw_only=True):
    """Which requests belong to which priority level."""

    resource: ClassVar[Resource] = FLOW_SCHEMA

    spec: FlowSchemaSpec = FlowSchemaSpec()
    status: FlowSchemaStatus = FlowSchemaStatus()


class PriorityLevelConfiguration(Object, frozen=True, kw_only=True):
    """How many requests of some flow schemas may be in progress."""

    resource: ClassVar[Resource] = PRIORITY_LEVEL
