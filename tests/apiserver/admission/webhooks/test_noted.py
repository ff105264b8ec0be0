"""What is told of webhooks: in the audit log, and in the metrics."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from argosy.apiserver.audit.policy import LEVELS, parse
from argosy.apiserver.audit.recorder import Recorder
from argosy.http.message import Request
from argosy.testing.clock import FakeClock
from tests.apiserver.admission.webhooks.kit import (
    CONFIG_MAPS,
    MUTATING,
    VALIDATING,
    Json,
    configure,
    labelled,
    listening,
    review,
    sent,
)
from tests.apiserver.kit import Api

MUTATION, PATCH = "mutation.webhook.admission.k8s.io/", "patch.webhook.admission.k8s.io/"


class Lines:
    """A sink of the audit log that keeps what it is given."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.lost = 0

    def put(self, line: bytes) -> None:
        self.lines.append(line)

    def close(self) -> None:
        return None


def recorded(api: Api, level: str) -> Lines:
    """All that is told from now on of the creation of ConfigMaps."""
    resources = [{"group": "", "resources": ["configmaps"]}]
    rules = [{"level": level, "resources": resources}, {"level": "None"}]
    policy = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": rules}
    lines = Lines()
    recorder = Recorder(parse(json.dumps(policy).encode()), (lines,), FakeClock())
    api.cluster.plane.server.audit = recorder
    return lines


def annotations(lines: Lines) -> Mapping[str, Any]:
    """Those of webhooks, of the last event."""
    found: dict[str, str] = json.loads(lines.lines[-1])["annotations"]
    return {key: text for key, text in found.items() if "authorization" not in key}


@pytest.mark.parametrize("level", LEVELS[1:])
async def test_a_mutation_is_in_the_log(api: Api, level: str) -> None:
    def says(request: Json) -> Json:
        return {
            **(said := labelled(request, a="b")),
            "response": {**said["response"], "auditAnnotations": {"why": "so", "bad/key/": "x"}},
        }

    async with listening(says) as hook, listening(lambda request: {}) as broken:
        ignored = broken.one("b.example.com", failurePolicy="Ignore")
        await configure(api, MUTATING, hook.one("a.example.com"), ignored)
        await configure(api, VALIDATING, ignored)
        lines = recorded(api, level)
        assert (await sent(api)).status == 201
        told = dict(annotations(lines))
        first = json.loads(told.pop(f"{MUTATION}round_0_index_0"))
        assert first == {"configuration": "them", "webhook": "a.example.com", "mutated": True}
        second = json.loads(told.pop(f"{MUTATION}round_0_index_1"))
        assert second["mutated"] is False
        patch = told.pop(f"{PATCH}round_0_index_0", None)
        assert (patch is not None) == (level != "Metadata")
        assert told == {
            "a.example.com/why": "so",
            f"failed-open.{MUTATION}round_0_index_1": "b.example.com",
            "failed-open.validating.webhook.admission.k8s.io/round_0_index_0": "b.example.com",
        }


async def test_calls_are_counted(api: Api) -> None:
    def says(request: Json) -> Json:
        return review(request, allowed=request["operation"] != "DELETE")

    async with listening(says) as hook, listening(lambda request: {}) as broken:
        ignored = broken.one("b.example.com", failurePolicy="Ignore")
        await configure(api, VALIDATING, hook.one("a.example.com"), ignored)
        assert (await sent(api)).status == 201
        gone = await api.cluster.plane.server.handle(_deletion(api))
        assert gone.status == 400
        text = await _metrics(api)
    lead = "apiserver_admission_webhook"
    hooked = 'name="a.example.com",type="validating",operation="DELETE"'
    opened = 'name="b.example.com",type="validating"'
    for line in (
        f'{lead}_rejection_count{{{hooked},error_type="no_error",rejection_code="400"}} 1',
        f'{lead}_request_total{{{hooked},code="400",rejected="true"}} 1',
        f'{lead}_request_total{{{opened},operation="CREATE",code="503",rejected="false"}} 1',
        f"{lead}_fail_open_count{{{opened}}} 2",
        f'{lead}_admission_duration_seconds_count{{{hooked},rejected="true"}} 1',
    ):
        assert line in text.splitlines(), text


def _deletion(api: Api) -> Request:
    headers = {"authorization": f"Bearer {api.cluster.plane.token}"}
    return Request("DELETE", f"{CONFIG_MAPS}/it", "", headers, b"")


async def _metrics(api: Api) -> str:
    headers = {"authorization": f"Bearer {api.cluster.plane.token}"}
    answer = await api.cluster.plane.server.handle(Request("GET", "/metrics", "", headers))
    assert isinstance(answer.body, bytes)
    return answer.body.decode()
