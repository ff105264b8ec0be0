"""What a cluster could not be without is not deleted."""

import pytest

from tests.apiserver.kit import Api

NAMESPACES = "/api/v1/namespaces/"
PRIORITIES = "/apis/scheduling.k8s.io/v1/priorityclasses"


@pytest.mark.parametrize("name", ["default", "kube-public", "kube-system"])
@pytest.mark.parametrize("dry", [{}, {"dryRun": "All"}])
async def test_namespaces_that_stay(api: Api, name: str, dry: dict[str, str]) -> None:
    answer = await api.ask("DELETE", NAMESPACES + name, headers=None, **dry)

    assert (answer.status, answer.body["reason"]) == (403, "Forbidden")
    assert answer.message == f'namespaces "{name}" is forbidden: this namespace may not be deleted'
    assert answer.body["details"] == {"name": name, "kind": "namespaces"}
    found = await api.get(NAMESPACES + name)
    assert found.body["status"]["phase"] == "Active"


async def test_others_may_go(api: Api) -> None:
    assert (await api.ask("DELETE", NAMESPACES + "kube-node-lease")).status == 200


async def test_system_priorities_stay(api: Api) -> None:
    body = {"metadata": {"name": "mine"}, "value": 5}
    assert (await api.ask("POST", PRIORITIES, body)).status == 201

    answer = await api.ask("DELETE", f"{PRIORITIES}/system-node-critical")
    assert answer.status == 403
    assert answer.message == (
        'priorityclasses.scheduling.k8s.io "system-node-critical" is forbidden: '
        "this is a system priority class and cannot be deleted"
    )
    assert (await api.ask("DELETE", f"{PRIORITIES}/mine")).status == 200
