"""Validating webhooks: asked with all of a request, believed within bounds."""

from typing import Any

import pytest

from tests.apiserver.admission.webhooks.kit import (
    CONFIG_MAPS,
    VALIDATING,
    Json,
    configure,
    listening,
    raw,
    review,
    sent,
)
from tests.apiserver.kit import Api, binding, path


async def test_it_sees_the_whole_request(api: Api) -> None:
    async with listening() as hook:
        await configure(api, VALIDATING, hook.one())
        answer = await sent(api, fieldManager="me", fieldValidation="Strict")
        assert answer.status == 201
        [asked] = hook.asked
        assert asked.pop("uid")
        assert asked.pop("object")["metadata"]["uid"] == answer.meta["uid"]
        user = asked.pop("userInfo")
        assert asked == {
            "kind": {"group": "", "version": "v1", "kind": "ConfigMap"},
            "resource": {"group": "", "version": "v1", "resource": "configmaps"},
            "requestKind": {"group": "", "version": "v1", "kind": "ConfigMap"},
            "requestResource": {"group": "", "version": "v1", "resource": "configmaps"},
            "name": "it",
            "namespace": "default",
            "operation": "CREATE",
            "oldObject": None,
            "dryRun": False,
            "options": {
                "kind": "CreateOptions",
                "apiVersion": "meta.k8s.io/v1",
                "fieldManager": "me",
                "fieldValidation": "Strict",
            },
        }
        assert user == {
            "username": "system:apiserver",
            "groups": ["system:masters", "system:authenticated"],
        }
        assert hook.queries == ["timeout=10s"]


async def test_update_and_delete_show_what_there_was(api: Api) -> None:
    async with listening() as hook:
        await sent(api)
        await configure(api, VALIDATING, hook.one())
        target = f"{CONFIG_MAPS}/it"
        changed = await api.ask(
            "PATCH", target, {"data": {"color": "blue"}}, kind="application/merge-patch+json"
        )
        assert changed.status == 200
        gone = await api.ask("DELETE", target, {"propagationPolicy": "Background"})
        assert gone.status == 200
        update, delete = hook.asked
        assert update["operation"] == "UPDATE"
        assert update["object"]["data"] == {"color": "blue"}
        assert update["oldObject"]["data"] == {"color": "red"}
        assert (delete["operation"], delete["object"]) == ("DELETE", None)
        assert delete["oldObject"]["data"] == {"color": "blue"}
        assert delete["options"] == {
            "kind": "DeleteOptions",
            "apiVersion": "meta.k8s.io/v1",
            "propagationPolicy": "Background",
        }


REFUSALS: list[tuple[Json, int, str]] = [
    ({}, 400, 'admission webhook "one.example.com" denied the request without explanation'),
    (
        {"status": {"message": "no", "code": 403, "reason": "Forbidden"}},
        403,
        'admission webhook "one.example.com" denied the request: no',
    ),
    (
        {"status": {"reason": "Because", "code": 200}},
        400,
        'admission webhook "one.example.com" denied the request: Because',
    ),
    (
        {"status": {"message": "no", "code": 9999}},
        400,
        'admission webhook "one.example.com" denied the request: no',
    ),
]


@pytest.mark.parametrize(("said", "code", "text"), REFUSALS)
async def test_a_refusal_is_told_in_its_words(api: Api, said: Json, code: int, text: str) -> None:
    facts = {"allowed": False, "warnings": ["careful"], **said}
    async with listening(lambda request: review(request, **facts)) as hook:
        await configure(api, VALIDATING, hook.one())
        answer = await sent(api)
        assert answer.headers["warning"] == '299 - "careful"'
        assert (answer.status, answer.message) == (code, text)
        gone = await api.get(f"{CONFIG_MAPS}/it")
        assert gone.status == 404


BROKEN: list[tuple[Any, str]] = [
    (
        lambda request: review(request, uid="other"),
        'received invalid webhook response: expected response.uid="',
    ),
    (lambda request: {}, "received invalid webhook response: webhook response was absent"),
    (lambda request: b"null", "received invalid webhook response: webhook response was absent"),
    (
        lambda request: {**review(request), "kind": "Review"},
        "received invalid webhook response: expected webhook response of admission.k8s.io/v1, "
        "Kind=AdmissionReview, got admission.k8s.io/v1, Kind=Review",
    ),
    (
        lambda request: review(request, patch="W10=", patchType="JSONPatch"),
        "received invalid webhook response: validating webhook may not return response.patch",
    ),
    (
        lambda request: review(request, patchType="JSONPatch"),
        "received invalid webhook response: validating webhook may not return response.patchType",
    ),
    (lambda request: b"{", "failed to call webhook: couldn't get version/kind; json parse error"),
    (lambda request: review(request, allowed="yes"), "failed to call webhook: couldn't get"),
]


@pytest.mark.parametrize(("says", "why"), BROKEN)
async def test_an_answer_of_no_use_fails_by_policy(api: Api, says: Any, why: str) -> None:
    async with listening(says) as hook:
        await configure(api, VALIDATING, hook.one())
        answer = await sent(api)
        lead = 'Internal error occurred: failed calling webhook "one.example.com": '
        assert answer.status == 500
        assert answer.message.startswith(lead + why), answer.message
        removed = await api.ask("DELETE", f"{VALIDATING}/them")
        assert removed.status == 200
        await configure(api, VALIDATING, hook.one(failurePolicy="Ignore"))
        assert (await sent(api)).status == 201


async def test_dry_run_asks_only_those_without_side_effects(api: Api) -> None:
    async with listening() as hook:
        await configure(api, VALIDATING, hook.one(sideEffects="NoneOnDryRun"))
        assert (await sent(api, dryRun="All")).status == 201
        assert hook.asked[0]["dryRun"] is True
        assert hook.asked[0]["options"]["dryRun"] == ["All"]


async def test_all_are_asked_at_once_and_warn(api: Api) -> None:
    async with listening(lambda request: review(request, warnings=["careful"])) as hook:
        names = [f"n{index}.example.com" for index in range(3)]
        await configure(api, VALIDATING, *(hook.one(name) for name in names))
        answer = await sent(api)
        assert answer.status == 201
        assert answer.headers["warning"] == '299 - "careful"'
        assert len(hook.asked) == 3
        assert len({one["uid"] for one in hook.asked}) == 3


async def test_conditions_selectors_and_own_kinds_are_passed_over(api: Api) -> None:
    async with listening() as hook:
        blue = [{"name": "blue", "expression": "object.data.color == 'blue'"}]
        labels = {"matchLabels": {"asked": "yes"}}
        await configure(
            api,
            VALIDATING,
            hook.one("a.example.com", matchConditions=blue),
            hook.one("b.example.com", objectSelector=labels),
            hook.one("c.example.com", namespaceSelector=labels),
        )
        assert (await sent(api)).status == 201
        assert hook.asked == []
        removed = await api.ask("DELETE", f"{VALIDATING}/them")
        assert removed.status == 200
        assert (await sent(api, "other")).status == 201


async def test_who_connects_says_how(api: Api) -> None:
    async with listening(lambda request: review(request, allowed=False)) as hook:
        rule = {
            "apiGroups": [""],
            "apiVersions": ["v1"],
            "operations": ["CONNECT"],
            "resources": ["pods/exec", "services/proxy"],
        }
        await api.create("Pod")
        await configure(api, VALIDATING, hook.one("one.example.com", rule))
        pod = "/api/v1/namespaces/default/pods/it/exec"
        refused = await raw(api, "POST", pod, None, command="sh", stdin="true", tty="0")
        assert refused.status == 400, refused.body
        there = "/api/v1/namespaces/default/services/it/proxy/a/b"
        assert (await raw(api, "GET", there, None)).status == 400
        exec_, proxy = hook.asked
        assert (exec_["operation"], exec_["subResource"], exec_["name"]) == (
            "CONNECT",
            "exec",
            "it",
        )
        assert exec_["kind"] == {"group": "", "version": "v1", "kind": "PodExecOptions"}
        head = {"kind": "PodExecOptions", "apiVersion": "v1"}
        assert exec_["object"] == {**head, "command": ["sh"], "stdin": True}
        assert (exec_["oldObject"], exec_["options"]) == (None, None)
        assert proxy["object"]["path"] == "/a/b"


async def test_an_eviction_and_a_binding_are_shown_as_themselves(api: Api) -> None:
    async with listening() as hook:
        rule = {
            "apiGroups": [""],
            "apiVersions": ["v1"],
            "operations": ["CREATE"],
            "resources": ["pods/eviction", "pods/binding"],
        }
        await api.create("Pod")
        await configure(api, VALIDATING, hook.one("one.example.com", rule))
        bound = await api.ask("POST", path("Pod", "it", "binding"), binding())
        assert bound.status == 201, bound.body
        gone = await api.ask("POST", path("Pod", "it", "eviction"), {"metadata": {"name": "it"}})
        assert gone.status == 201, gone.body
        kinds = [(one["kind"]["kind"], one["object"]["kind"]) for one in hook.asked]
        assert kinds == [("Binding", "Binding"), ("Eviction", "Eviction")]
