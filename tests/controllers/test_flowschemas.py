"""Flow schemas say whether their priority level is there."""

from typing import Any

from argosy.api.flowcontrol import FlowSchema, PriorityLevelConfiguration
from argosy.api.meta import Condition
from argosy.controllers.flowschemas import flow_schemas
from argosy.testing.clock import settle
from tests.controllers.kit import Scene, controlled

Json = dict[str, Any]
LEVEL: Json = {
    "metadata": {"name": "deep"},
    "spec": {"type": "Limited", "limited": {"limitResponse": {"type": "Reject"}}},
}
RULE: Json = {
    "subjects": [{"kind": "User", "user": {"name": "bob"}}],
    "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
}
SCHEMA: Json = {
    "metadata": {"name": "s"},
    "spec": {"priorityLevelConfiguration": {"name": "deep"}, "rules": [RULE]},
}
REFERENCE = 'This FlowSchema references the PriorityLevelConfiguration object named "deep"'


async def condition(it: Scene) -> Condition:
    await settle()
    [found] = (await it.client.get(FlowSchema, "s")).status.conditions
    return found


async def test_a_schema_dangles_until_its_level_is_there() -> None:
    async with controlled(lambda manager: manager.add(flow_schemas(manager))) as it:
        await it.client.create(FlowSchema.resource, SCHEMA)
        found = await condition(it)
        assert (found.type, found.status, found.reason) == ("Dangling", "True", "NotFound")
        assert found.message == f"{REFERENCE} but there is no such object"
        since = found.last_transition_time
        await it.clock.advance(5)
        await it.client.create(PriorityLevelConfiguration.resource, LEVEL)
        found = await condition(it)
        assert (found.status, found.reason) == ("False", "Found")
        assert found.message == f"{REFERENCE} and it exists"
        assert found.last_transition_time != since
        await it.client.delete(PriorityLevelConfiguration.resource, "deep")
        assert (await condition(it)).status == "True"


async def test_what_is_said_already_is_not_said_again() -> None:
    async with controlled(lambda manager: manager.add(flow_schemas(manager))) as it:
        await it.client.create(PriorityLevelConfiguration.resource, LEVEL)
        await it.client.create(FlowSchema.resource, SCHEMA)
        await condition(it)
        before = (await it.client.get(FlowSchema, "s")).metadata.resource_version
        change = {"spec": {"limited": {"nominalConcurrencyShares": 9}}}
        await it.client.merge(PriorityLevelConfiguration.resource, "deep", "", change)
        await settle()
        assert (await it.client.get(FlowSchema, "s")).metadata.resource_version == before
