"""A webhook that authorizes: it is asked when nobody knows, and its answers hold for a while."""

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy.apiserver.authorization.configuration import load
from argosy.apiserver.guards import Guards
from argosy.base.clock import SystemClock
from argosy.cluster.bootstrap import bootstrap
from argosy.cluster.server import ControlPlane, control_plane, memory_store
from argosy.http.message import Request, Response
from argosy.testing.clock import FakeClock
from tests.apiserver.hookkit import Hook, authorizers, hooking, rules
from tests.apiserver.kit import JSON, Answer, answered, body

Json = dict[str, Any]
REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
SELF = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
RULES = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
PODS = "/api/v1/namespaces/default/pods"
ALLOW: Json = {"allowed": True}


class Passing(SystemClock):
    """The time of day, and seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.passed = FakeClock()

    def monotonic(self) -> float:
        return self.passed.monotonic()


@dataclass
class Scene:
    plane: ControlPlane
    hook: Hook
    clock: Passing = field(default_factory=Passing)

    async def ask(
        self, method: str, path: str, sent: bytes = b"", *, user: str = "eve", query: str = ""
    ) -> Answer:
        headers = {"authorization": f"Bearer {self.plane.token}", "content-type": JSON}
        if user:
            headers["impersonate-user"] = user
        return await answered(self.plane.server.handle, Request(method, path, query, headers, sent))

    async def review(self, **asked: str) -> Json:
        """What a review says of eve."""
        spec = {"user": "eve", "resourceAttributes": {"verb": "get", "resource": "pods", **asked}}
        answer = await self.ask("POST", REVIEWS, _encoded({"spec": spec}), user="")
        assert answer.status == 201, answer.body
        status: Json = answer.body["status"]
        return status


def _encoded(sent: Json) -> bytes:
    return json.dumps(sent).encode()


@asynccontextmanager
async def scene(
    folder: Path, says: Callable[[Json], Json | Response], **more: Any
) -> AsyncGenerator[Scene, None]:
    async with hooking(folder, says) as hook:
        file = folder / "authorization.yaml"
        file.write_text(yaml.safe_dump(authorizers(("hook", rules(hook.file, **more)))))
        store, clock = memory_store(), Passing()
        plane = control_plane(store, clock, guards=Guards(authorization=load(file)))
        await bootstrap(plane.client("test"))
        try:
            yield Scene(plane, hook, clock)
        finally:
            await plane.server.outbound.close()
            await store.close()


async def test_the_webhook_is_asked_as_upstream_asks(tmp_path: Path) -> None:
    async with scene(tmp_path, lambda spec: ALLOW) as it:
        answer = await it.ask(
            "GET", PODS, query="labelSelector=a%3Db&fieldSelector=spec.nodeName!%3Dc"
        )
        assert answer.status == 200
        [review] = it.hook.asked
        assert it.hook.headers == ["Bearer let-me-ask"]
        assert review["apiVersion"] == "authorization.k8s.io/v1"
        assert review["kind"] == "SubjectAccessReview"
        assert review["spec"] == {
            "user": "eve",
            "groups": ["system:authenticated"],
            "resourceAttributes": {
                "namespace": "default",
                "verb": "list",
                "version": "v1",
                "resource": "pods",
                "fieldSelector": {
                    "requirements": [{"key": "spec.nodeName", "operator": "NotIn", "values": ["c"]}]
                },
                "labelSelector": {
                    "requirements": [{"key": "a", "operator": "In", "values": ["b"]}]
                },
            },
        }


async def test_the_older_version_has_another_name_for_groups(tmp_path: Path) -> None:
    async with scene(tmp_path, lambda spec: ALLOW, subjectAccessReviewVersion="v1beta1") as it:
        assert (await it.ask("GET", "/metrics")).status == 200
        [review] = it.hook.asked
        assert review["apiVersion"] == "authorization.k8s.io/v1beta1"
        assert review["spec"] == {
            "user": "eve",
            "group": ["system:authenticated"],
            "nonResourceAttributes": {"path": "/metrics", "verb": "get"},
        }


async def test_masters_need_nobodys_leave(tmp_path: Path) -> None:
    async with scene(tmp_path, lambda spec: {"denied": True}) as it:
        assert (await it.ask("GET", PODS, user="")).status == 200
        assert it.hook.asked == []


@pytest.mark.parametrize(
    ("said", "status", "words"),
    [
        ({"allowed": True}, 200, ""),
        ({"allowed": False}, 403, "at the cluster scope"),
        ({"allowed": False, "reason": "ask later"}, 403, "at the cluster scope: ask later"),
        ({"denied": True, "reason": "never"}, 403, "at the cluster scope: never"),
        ({"reason": None, "allowed": True}, 200, ""),
    ],
)
async def test_what_it_says_holds(tmp_path: Path, said: Json, status: int, words: str) -> None:
    async with scene(tmp_path, lambda spec: said) as it:
        answer = await it.ask("GET", "/api/v1/nodes")
        assert answer.status == status
        assert answer.message.endswith(words)


async def test_a_no_that_is_final_overrules_roles(tmp_path: Path) -> None:
    async with scene(tmp_path, lambda spec: {"denied": True, "reason": "closed"}) as it:
        assert (await it.ask("GET", "/api")).status == 403
    async with scene(tmp_path, lambda spec: {"allowed": False}) as it:
        assert (await it.ask("GET", "/api")).status == 200


async def test_answers_are_kept_for_their_time(tmp_path: Path) -> None:
    allowed = True
    async with scene(tmp_path, lambda spec: {"allowed": allowed}) as it:
        for _ in range(3):
            assert (await it.ask("GET", PODS)).status == 200
        assert len(it.hook.asked) == 1
        allowed = False
        await it.clock.passed.advance(299)
        assert (await it.ask("GET", PODS)).status == 200
        await it.clock.passed.advance(1)
        assert (await it.ask("GET", PODS)).status == 403
        await it.clock.passed.advance(29)
        assert (await it.ask("GET", PODS)).status == 403
        assert len(it.hook.asked) == 2
        await it.clock.passed.advance(1)
        assert (await it.ask("GET", PODS)).status == 403
        assert len(it.hook.asked) == 3


async def test_nothing_is_kept_where_that_is_off(tmp_path: Path) -> None:
    async with scene(tmp_path, lambda spec: ALLOW, cacheAuthorizedRequests=False) as it:
        for _ in range(2):
            assert (await it.ask("GET", PODS)).status == 200
        assert len(it.hook.asked) == 2


async def test_an_answer_about_too_much_is_not_kept(tmp_path: Path) -> None:
    async with scene(tmp_path, lambda spec: ALLOW) as it:
        for _ in range(2):
            assert (await it.ask("GET", f"{PODS}/{'x' * 10_000}")).status == 404
        assert len(it.hook.asked) == 2


async def test_reviews_ask_it_too(tmp_path: Path) -> None:
    def says(spec: Json) -> Json:
        verb = spec["resourceAttributes"]["verb"]
        return {"allowed": verb == "get", "denied": verb == "delete", "reason": f"I am {verb}"}

    async with scene(tmp_path, says) as it:
        assert await it.review() == {"allowed": True, "reason": "I am get"}
        refused = {"allowed": False, "denied": True, "reason": "I am delete"}
        assert await it.review(verb="delete") == refused
        assert await it.review(verb="list") == {"allowed": False, "reason": "I am list"}
        asked = {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}
        answer = await it.ask("POST", SELF, _encoded(asked))
        assert answer.body["status"]["allowed"] is True


async def test_nobody_can_list_what_it_allows(tmp_path: Path) -> None:
    async with scene(tmp_path, lambda spec: ALLOW) as it:
        answer = await it.ask("POST", RULES, _encoded({"spec": {"namespace": "default"}}))
        status = answer.body["status"]
        assert status["incomplete"] is True
        words = "webhook authorizer does not support user rule resolution"
        assert status["evaluationError"] == words
        assert status["resourceRules"]


async def test_admission_asks_it_within_a_write(tmp_path: Path) -> None:
    """Granting what one doesn't have needs `escalate`, which the webhook alone allows."""

    def says(spec: Json) -> Json:
        return {"allowed": spec.get("resourceAttributes", {}).get("verb") in ("create", "escalate")}

    role = {
        "metadata": {"name": "r"},
        "rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"]}],
    }
    where = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles"
    async with scene(tmp_path, says, cacheAuthorizedRequests=False) as it:
        answer = await it.ask("POST", where, _encoded(role))
        assert answer.status == 201, answer.body
        verbs = [one["spec"]["resourceAttributes"]["verb"] for one in it.hook.asked]
        assert verbs == ["create", "escalate"]


async def test_impersonation_asks_it(tmp_path: Path) -> None:
    def says(spec: Json) -> Json:
        return {"allowed": spec["user"] == "system:serviceaccount:default:default"}

    async with scene(tmp_path, says) as it:
        path = "/api/v1/namespaces/default/serviceaccounts/default/token"
        account = {"metadata": {"name": "default"}}
        await it.ask("POST", path.removesuffix("/default/token"), _encoded(account), user="")
        made = await it.ask("POST", path, b"{}", user="")
        assert made.status == 201, made.body
        headers = {
            "authorization": f"Bearer {made.body['status']['token']}",
            "impersonate-user": "bob",
        }
        request = Request("GET", "/api/v1/nodes", "", headers)
        answer = await answered(it.plane.server.handle, request)
        assert answer.status == 403
        assert 'User "bob"' in answer.message
        verbs = [one["spec"]["resourceAttributes"]["verb"] for one in it.hook.asked]
        assert verbs == ["impersonate-on:user-info:list", "impersonate:user-info", "list"]


async def test_match_conditions_say_when(tmp_path: Path) -> None:
    conditions = [
        {"expression": "has(request.resourceAttributes)"},
        {"expression": "request.resourceAttributes.namespace == 'default'"},
    ]
    async with scene(
        tmp_path,
        lambda spec: ALLOW,
        matchConditions=conditions,
        matchConditionSubjectAccessReviewVersion="v1",
    ) as it:
        assert (await it.ask("GET", PODS)).status == 200
        assert (await it.ask("GET", "/api/v1/nodes")).status == 403
        assert (await it.ask("GET", "/metrics")).status == 403
        assert len(it.hook.asked) == 1


@pytest.mark.parametrize(("policy", "status"), [("NoOpinion", 500), ("Deny", 500)])
async def test_a_condition_that_fails_is_a_failure(
    tmp_path: Path, policy: str, status: int
) -> None:
    async with scene(
        tmp_path,
        lambda spec: ALLOW,
        failurePolicy=policy,
        matchConditions=[{"expression": "request.resourceAttributes.namespace == ''"}],
        matchConditionSubjectAccessReviewVersion="v1",
    ) as it:
        answer = await it.ask("GET", "/metrics")
        assert answer.status == status
        assert "cel evaluation error" in answer.message
        # Where roles say yes, a policy of no opinion lets it pass.
        assert (await it.ask("GET", "/api")).status == (200 if policy == "NoOpinion" else 500)
        assert it.hook.asked == []


async def test_it_tries_again_what_is_refused_for_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("argosy.apiserver.reviewer.FIRST_PAUSE", 0.001)
    tries = 0

    def says(spec: Json) -> Json | Response:
        nonlocal tries
        tries += 1
        return Response(500, {}, b"") if tries < 3 else ALLOW

    async with scene(tmp_path, says) as it:
        assert (await it.ask("GET", PODS)).status == 200
        assert tries == 3


async def test_creating_a_pod_asks_once_for_it(tmp_path: Path) -> None:
    async with scene(tmp_path, lambda spec: ALLOW) as it:
        sent = _encoded(body("Pod", spec={"containers": [{"name": "a", "image": "a"}]}))
        account = _encoded({"metadata": {"name": "default"}})
        await it.ask("POST", "/api/v1/namespaces/default/serviceaccounts", account, user="")
        assert (await it.ask("POST", PODS, sent)).status == 201
        assert len(it.hook.asked) == 1
