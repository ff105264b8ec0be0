"""Kinds that are asked and not stored: each answers, and refuses what is no question."""

from typing import Any

import pytest

from argosy.api.protobuf.codec import MEDIA_TYPE, load
from argosy.http.message import Request
from tests.apiserver.kit import Api

Json = dict[str, Any]
AUTHENTICATION = "/apis/authentication.k8s.io/v1"
AUTHORIZATION = "/apis/authorization.k8s.io/v1"
TOKENS = f"{AUTHENTICATION}/tokenreviews"
WHOAMI = f"{AUTHENTICATION}/selfsubjectreviews"
OTHERS = f"{AUTHORIZATION}/subjectaccessreviews"
LOCAL = f"{AUTHORIZATION}/namespaces/default/localsubjectaccessreviews"
MINE = f"{AUTHORIZATION}/selfsubjectaccessreviews"
RULES = f"{AUTHORIZATION}/selfsubjectrulesreviews"
TOKEN = "/api/v1/namespaces/default/serviceaccounts/default/token"
ISSUER = "https://kubernetes.default.svc.cluster.local"
BOB = {"impersonate-user": "bob"}
PODS: Json = {"verb": "list", "resource": "pods", "namespace": "default"}


async def decided(api: Api, where: str, spec: Json, **headers: str) -> Json:
    answer = await api.ask("POST", where, {"spec": spec}, headers=headers)
    assert answer.status == 201, answer.body
    assert answer.body["spec"] == spec
    found: Json = answer.body["status"]
    return found


async def test_a_token_is_reviewed(api: Api) -> None:
    token = (await api.ask("POST", TOKEN, {})).body["status"]["token"]
    answer = await api.ask("POST", TOKENS, {"spec": {"token": token}})
    status = answer.body["status"]
    assert status["authenticated"] is True
    assert status["audiences"] == [ISSUER]
    assert status["user"]["username"] == "system:serviceaccount:default:default"
    assert status["user"]["groups"][-1] == "system:authenticated"
    assert "authentication.kubernetes.io/credential-id" in status["user"]["extra"]

    spec = {"token": token, "audiences": ["vault"]}
    status = (await api.ask("POST", TOKENS, {"spec": spec})).body["status"]
    assert status["user"] == {}
    assert status["error"] == (
        f'token audiences ["{ISSUER}"] is invalid for the target audiences ["vault"]'
    )


async def test_the_servers_own_tokens_are_reviewed_too(api: Api) -> None:
    spec: Json = {"token": api.cluster.plane.token, "audiences": [ISSUER, "x"]}
    status = (await api.ask("POST", TOKENS, {"spec": spec})).body["status"]
    assert status["user"]["username"] == "system:apiserver"
    assert status["audiences"] == [ISSUER]
    spec["audiences"] = ["vault"]
    status = (await api.ask("POST", TOKENS, {"spec": spec})).body["status"]
    assert status == {"user": {}, "error": "invalid bearer token"}


@pytest.mark.parametrize("token", ["x", "a.b.c", ".." + "A" * 500_000, "\ud7ff.\uffff.\U0010ffff"])
async def test_bad_tokens_are_nobodys(api: Api, token: str) -> None:
    answer = await api.ask("POST", TOKENS, {"spec": {"token": token}})
    assert (answer.status, answer.body["status"]["user"]) == (201, {})
    assert answer.body["status"]["error"].startswith("invalid")
    assert "authenticated" not in answer.body["status"]


@pytest.mark.parametrize("body", [{}, {"spec": {}}, {"spec": {"token": ""}}, {"spec": None}])
async def test_a_token_is_needed(api: Api, body: Json) -> None:
    answer = await api.ask("POST", TOKENS, body)
    assert (answer.status, answer.message) == (
        400,
        "token is required for TokenReview in authentication",
    )


async def test_everybody_is_told_who_they_are(api: Api) -> None:
    me = await api.ask("POST", WHOAMI, {"metadata": {"name": "mine"}})
    assert me.body["status"]["userInfo"] == {
        "username": "system:apiserver",
        "groups": ["system:masters", "system:authenticated"],
    }
    assert list(me.meta) == ["creationTimestamp"]
    other = {**BOB, "impersonate-uid": "u", "impersonate-extra-team": "a, b"}
    answer = await api.ask("POST", WHOAMI, {}, headers=other)
    assert answer.body["status"]["userInfo"] == {
        "username": "bob",
        "uid": "u",
        "groups": ["system:authenticated"],
        "extra": {"team": ["a", "b"]},
    }


async def test_access_is_decided_for_whoever_is_named(api: Api) -> None:
    master = {"user": "a", "groups": ["system:masters"], "resourceAttributes": PODS}
    assert await decided(api, OTHERS, master) == {"allowed": True}
    assert await decided(api, OTHERS, {**master, "groups": ["devs"]}) == {"allowed": False}
    assert await decided(api, LOCAL, master) == {"allowed": True}
    path = {"user": "a", "nonResourceAttributes": {"path": "/api", "verb": "get"}}
    assert await decided(api, OTHERS, path) == {"allowed": False}
    path["groups"] = ["system:authenticated"]
    assert await decided(api, OTHERS, path) == {
        "allowed": True,
        "reason": (
            'RBAC: allowed by ClusterRoleBinding "system:discovery" of ClusterRole '
            '"system:discovery" to Group "system:authenticated"'
        ),
    }
    assert await decided(api, OTHERS, {"groups": ["a"], "nonResourceAttributes": {}}) == {
        "allowed": False
    }


async def test_nulls_are_nothing(api: Api) -> None:
    spec = {"user": "a", "extra": {"k": None, "l": [None]}, "groups": [None], "uid": None}
    asked = {"verb": None, "labelSelector": None}
    answer = await api.ask("POST", OTHERS, {"spec": {**spec, "resourceAttributes": asked}})
    assert (answer.status, answer.body["status"]) == (201, {"allowed": False})


async def test_everybody_may_ask_what_they_may_do(api: Api) -> None:
    spec = {"resourceAttributes": PODS}
    assert await decided(api, MINE, spec) == {"allowed": True}
    assert await decided(api, MINE, spec, **BOB) == {"allowed": False}
    review = {"verb": "create", "group": "authorization.k8s.io", "resource": MINE[-24:]}
    answer = await decided(api, MINE, {"resourceAttributes": review}, **BOB)
    assert answer["allowed"] is True
    assert '"system:basic-user" to Group "system:authenticated"' in answer["reason"]
    refused = await api.ask("POST", OTHERS, {"spec": {}}, headers=BOB)
    assert refused.status == 403


async def test_everybody_may_ask_for_their_rules(api: Api) -> None:
    question = {"spec": {"namespace": "default"}}
    status = (await api.ask("POST", RULES, question)).body["status"]
    everything = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
    assert everything in status["resourceRules"]
    assert {"verbs": ["*"], "nonResourceURLs": ["*"]} in status["nonResourceRules"]
    assert status["incomplete"] is False

    answer = await api.ask("POST", RULES, question, headers=BOB)
    status = answer.body["status"]
    assert answer.body["spec"] == {}
    assert everything not in status["resourceRules"]
    assert {rule["apiGroups"][0] for rule in status["resourceRules"]} == {
        "authentication.k8s.io",
        "authorization.k8s.io",
    }
    empty = await api.ask("POST", RULES, {})
    assert (empty.status, empty.message) == (400, "no namespace on request")


async def test_selectors_are_read_as_far_as_they_can_be(api: Api) -> None:
    terms = [{"key": "a", "operator": "In", "values": ["b"]}, {"key": "a", "operator": "Near"}]
    asked = {
        **PODS,
        "fieldSelector": {"rawSelector": "(("},
        "labelSelector": {"requirements": terms},
    }
    assert await decided(api, MINE, {"resourceAttributes": asked}) == {
        "allowed": True,
        "evaluationError": (
            "spec.resourceAttributes.fieldSelector ignored due to parse error; "
            "spec.resourceAttributes.labelSelector partially ignored due to parse error"
        ),
    }


async def test_wrong_questions_are_refused_by_field(api: Api) -> None:
    answer = await api.ask("POST", OTHERS, {"metadata": {"name": "x", "uid": "u"}})
    assert answer.status == 422
    assert answer.causes == {
        (
            "spec.resourceAttributes",
            'Invalid value: "null": exactly one of nonResourceAttributes or resourceAttributes '
            "must be specified",
        ),
        ("spec.user", 'Invalid value: "": at least one of user or group must be specified'),
        ("metadata", 'Invalid value: {"name":"x"}: must be empty'),
    }


@pytest.mark.parametrize("where", [TOKENS, WHOAMI, OTHERS, LOCAL, MINE, RULES])
async def test_a_question_can_only_be_asked(api: Api, where: str) -> None:
    for method, status in (("GET", 405), ("DELETE", 405), ("PUT", 405), ("PATCH", 405)):
        assert (await api.ask(method, where, {})).status == status
    assert (await api.ask("GET", where, watch="1")).status == 405
    assert (await api.ask("GET", f"{where}/it")).status == 404
    assert (await api.ask("POST", f"{where}/it/status", {})).status == 404
    assert (await api.ask("POST", where, {"kind": "Pod"})).status == 400
    assert (await api.ask("POST", where, b"[")).status == 400
    assert (await api.ask("POST", where, {"metadata": {"labels": 3}})).status == 422
    assert (await api.ask("POST", where, {}, dryRun="Some")).status == 422
    unknown = await api.ask("POST", where, {"colour": 1}, fieldValidation="Strict")
    assert 'unknown field "colour"' in unknown.message


async def test_nothing_of_a_question_is_kept(api: Api) -> None:
    before = api.cluster.plane.server._objects.store.revision
    await decided(api, MINE, {"resourceAttributes": PODS})
    await api.ask("POST", WHOAMI, {})
    assert api.cluster.plane.server._objects.store.revision == before
    kinds = {resource.kind for resource in api.cluster.plane.resources}
    assert "Pod" in kinds
    assert not any(kind.endswith("Review") for kind in kinds)


async def test_discovery_says_that_they_can_only_be_created(api: Api) -> None:
    for root in (AUTHENTICATION, AUTHORIZATION):
        found = (await api.get(root)).body["resources"]
        assert found
        assert all(item["verbs"] == ["create"] for item in found)
    core = {item["name"]: item for item in (await api.get("/api/v1")).body["resources"]}
    token = core["serviceaccounts/token"]
    assert (token["group"], token["kind"], token["verbs"]) == (
        "authentication.k8s.io",
        "TokenRequest",
        ["create"],
    )


async def test_namespaces_of_local_questions_agree(api: Api) -> None:
    spec: Json = {"user": "a", "resourceAttributes": {**PODS, "namespace": "other"}}
    answer = await api.ask("POST", LOCAL, {"spec": spec})
    assert answer.causes == {
        (
            "spec.resourceAttributes.namespace",
            'Invalid value: "other": must match metadata.namespace',
        )
    }
    without = f"{AUTHORIZATION}/localsubjectaccessreviews"
    assert (await api.ask("POST", without, {"spec": spec})).status == 405


QUESTIONS: dict[str, Json] = {
    TOKENS: {"token": "nobodys"},
    WHOAMI: {},
    OTHERS: {"user": "a", "extra": {"k": ["v"]}, "resourceAttributes": PODS},
    LOCAL: {"user": "a", "resourceAttributes": PODS},
    MINE: {"nonResourceAttributes": {"path": "/api", "verb": "get"}},
    RULES: {"namespace": "default"},
    TOKEN: {"expirationSeconds": 900},
    TOKEN + "?": {"boundObjectRef": {"kind": "Secret", "apiVersion": "v1", "name": "s"}},
}


@pytest.mark.parametrize("where", QUESTIONS)
async def test_questions_are_asked_and_answered_in_protobuf(api: Api, where: str) -> None:
    await api.ask("POST", "/api/v1/namespaces/default/secrets", {"metadata": {"name": "s"}})
    spec = QUESTIONS[where]
    path = where.removesuffix("?")
    plain = await api.ask("POST", path, {"spec": spec} if spec else {})
    assert plain.status == 201, plain.body
    body = {key: plain.body[key] for key in ("apiVersion", "kind")}
    body |= {"spec": spec} if spec else {}
    codec = load()
    headers = {
        "authorization": f"Bearer {api.cluster.plane.token}",
        "accept": MEDIA_TYPE,
        "content-type": MEDIA_TYPE,
    }
    sent = codec.encode_object(body)
    answer = await api.cluster.plane.server.handle(Request("POST", path, "", headers, sent))
    assert (answer.status, answer.headers["content-type"]) == (201, MEDIA_TYPE)
    assert isinstance(answer.body, bytes)
    told = codec.decode_object(answer.body)
    assert told["kind"] == plain.body["kind"]
    if "token" not in told["status"]:
        assert _without_blanks(told["status"]) == _without_blanks(plain.body["status"])


def _without_blanks(status: Json) -> Json:
    return {key: value for key, value in status.items() if value or key == "allowed"}


async def test_rules_are_those_of_the_roles_that_are_bound(api: Api) -> None:
    rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
    rule = {
        "verbs": ["get"],
        "apiGroups": [""],
        "resources": ["secrets"],
        "resourceNames": ["mine"],
    }
    await api.ask("POST", f"{rbac}/roles", {"metadata": {"name": "r"}, "rules": [rule]})
    for role in ("r", "gone"):
        binding = {
            "metadata": {"name": role},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role},
            "subjects": [{"kind": "User", "name": "bob"}],
        }
        await api.ask("POST", f"{rbac}/rolebindings", binding)
    answer = await api.ask("POST", RULES, {"spec": {"namespace": "default"}}, headers=BOB)
    status = answer.body["status"]
    assert rule in status["resourceRules"]
    assert any("/api/*" in found["nonResourceURLs"] for found in status["nonResourceRules"])
    assert status["evaluationError"] == 'role.rbac.authorization.k8s.io "gone" not found'
    elsewhere = await api.ask("POST", RULES, {"spec": {"namespace": "other"}}, headers=BOB)
    assert rule not in elsewhere.body["status"]["resourceRules"]


@pytest.mark.parametrize(
    ("selector", "allowed"),
    [
        ({"rawSelector": "spec.nodeName=n1"}, True),
        ({"requirements": [{"key": "spec.nodeName", "operator": "In", "values": ["n1"]}]}, True),
        ({"requirements": [{"key": "spec.nodeName", "operator": "In", "values": ["n2"]}]}, False),
        (
            {"requirements": [{"key": "spec.nodeName", "operator": "NotIn", "values": ["n1"]}]},
            False,
        ),
        ({"rawSelector": "(("}, False),
        (None, False),
    ],
)
async def test_selectors_count_for_nodes(api: Api, selector: Json | None, allowed: bool) -> None:
    asked: Json = {"verb": "list", "resource": "pods"}
    if selector is not None:
        asked["fieldSelector"] = selector
    spec = {"user": "system:node:n1", "groups": ["system:nodes"], "resourceAttributes": asked}
    answer = await api.ask("POST", OTHERS, {"spec": spec})
    assert answer.body["status"]["allowed"] is allowed
