"""Objects in the version that a webhook's rules name, converted by their own webhook."""

from pathlib import Path
from typing import Any

from tests.apiserver.admission.webhooks.kit import (
    MUTATING,
    Json,
    configure,
    listening,
    patching,
    review,
)
from tests.apiserver.extensions.converter import V1, V2, converting, create


async def test_a_patch_in_another_version_comes_back(tmp_path: Path) -> None:
    rule: Json = {
        "apiGroups": ["example.com"],
        "apiVersions": ["v2"],
        "operations": ["CREATE", "UPDATE"],
        "resources": ["widgets"],
    }
    port: Any = {"op": "replace", "path": "/spec/port", "value": "2"}
    unknown: Any = {"op": "add", "path": "/spec/what", "value": "2"}

    async with (
        converting(tmp_path) as (api, _),
        listening(lambda request: review(request, **patching(port, unknown))) as hook,
    ):
        await configure(api, MUTATING, hook.one("one.example.com", rule))
        made = await create(api, hostPort="h:1")
        assert made.body["spec"] == {"hostPort": "h:2"}
        [asked] = hook.asked
        assert asked["object"]["spec"] == {"host": "h", "port": "1"}
        assert asked["kind"]["version"] == "v2"
        assert asked["requestKind"]["version"] == "v1"
        direct = await create(api, "b", where=V2, host="h", port="1")
        assert direct.body["spec"] == {"host": "h", "port": "2"}
        assert (await api.get(f"{V1}/b")).body["spec"] == {"hostPort": "h:2"}


async def test_an_exact_rule_is_about_its_version_alone(tmp_path: Path) -> None:
    rule: Json = {
        "apiGroups": ["example.com"],
        "apiVersions": ["v2"],
        "operations": ["*"],
        "resources": ["widgets"],
    }
    async with converting(tmp_path) as (api, _), listening() as hook:
        await configure(api, MUTATING, hook.one("one.example.com", rule, matchPolicy="Exact"))
        await create(api)
        assert hook.asked == []
        await create(api, "b", where=V2, host="h", port="1")
        assert len(hook.asked) == 1
