"""What policies do to requests."""

import asyncio
import json
from collections.abc import Iterator

import pytest

from argosy.apiserver.audit import notes
from argosy.apiserver.request import User
from argosy.http.message import Request
from tests.apiserver.admission.policy.kit import (
    BINDINGS,
    DEPLOYMENTS,
    POLICIES,
    binding,
    deployment,
    enforce,
    policy,
    put,
    rule,
    warned,
)
from tests.apiserver.kit import MERGE, Api, Json, body, path

MAPS = "/api/v1/namespaces/default/configmaps"
EVERYTHING = {"resourceRules": [rule("*", "*", group="*")]}


class Log:
    """A trail of the audit log."""

    request = Request("GET", "/")
    panic = ""
    sent = ""
    constraint = ""
    level = 0

    def __init__(self) -> None:
        self.said: dict[str, str] = {}

    def enter(self, user: User) -> None: ...

    def act(self, user: User) -> None: ...

    def annotate(self, key: str, value: str) -> None:
        self.said.setdefault(key, value)


@pytest.fixture
def log() -> Iterator[Log]:
    log = Log()
    token = notes.CURRENT.set(log)
    yield log
    notes.CURRENT.reset(token)


async def said(api: Api, obj: Json | None = None) -> str:
    """The words of a refusal after who refused; empty where there is none."""
    answer = await api.ask("POST", DEPLOYMENTS, obj or deployment())
    return answer.message.partition("denied request: ")[2] or answer.message


@pytest.mark.parametrize(
    ("reason", "code", "told"),
    [
        (None, 422, "Invalid"),
        ("Invalid", 422, "Invalid"),
        ("Forbidden", 403, "Forbidden"),
        ("RequestEntityTooLarge", 413, "RequestEntityTooLarge"),
    ],
)
async def test_a_refusal_has_its_reason(api: Api, reason: str | None, code: int, told: str) -> None:
    given = {"reason": reason} if reason else {}
    await enforce(api, policy({"expression": "false", "message": " no more ", **given}))
    answer = await api.ask("POST", DEPLOYMENTS, deployment())

    words = "ValidatingAdmissionPolicy 'demo' with binding 'bound' denied request: no more"
    assert (answer.status, answer.body["reason"]) == (code, told)
    assert answer.message == f'deployments.apps "web" is forbidden: {words}'
    assert answer.body["details"] == {
        "name": "web",
        "group": "apps",
        "kind": "deployments",
        "causes": [{"message": words}],
    }


async def test_a_policy_counts_while_it_is_bound(api: Api) -> None:
    await put(api, POLICIES, policy("false"))
    assert not await said(api, deployment("one"))
    await put(api, BINDINGS, binding())
    assert await said(api, deployment("two"))
    changed = {"spec": {"validations": [{"expression": "true"}]}}
    await api.ask("PATCH", f"{POLICIES}/demo", changed, kind=MERGE)
    assert not await said(api, deployment("two"))
    changed["spec"]["validations"][0]["expression"] = "false"
    await api.ask("PATCH", f"{POLICIES}/demo", changed, kind=MERGE)
    assert await said(api, deployment("three"))
    await api.ask("DELETE", f"{POLICIES}/demo")
    assert not await said(api, deployment("three"))


async def test_a_binding_without_its_policy_does_nothing(api: Api) -> None:
    await put(api, BINDINGS, binding())
    assert not await said(api)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        (
            "object.spec.nothing > 1",
            "expression 'object.spec.nothing > 1' resulted in error: no such key: nothing",
        ),
        (
            "variables.broken > 1",
            "expression 'variables.broken > 1' resulted in error: composited variable \"broken\" "
            "fails to evaluate: no such key: nothing",
        ),
    ],
)
@pytest.mark.parametrize("failure", ["Fail", "Ignore"])
async def test_what_cannot_be_decided(api: Api, expression: str, words: str, failure: str) -> None:
    variables = [{"name": "broken", "expression": "object.spec.nothing"}]
    await enforce(api, policy(expression, failurePolicy=failure, variables=variables))
    assert await said(api) == (words if failure == "Fail" else "")


async def test_the_first_refusal_is_the_answer_and_all_warn(api: Api) -> None:
    await enforce(
        api, policy("false", "has(object.nothing)", name="a"), [binding("a", "Warn", policy="a")]
    )
    await enforce(api, policy("false", name="b"), [binding("b", policy="b")])
    await enforce(api, policy("1 > 2", name="c"), [binding("c", policy="c")])
    answer = await api.ask("POST", DEPLOYMENTS, deployment())

    assert answer.message.endswith("'b' with binding 'b' denied request: failed expression: false")
    assert "with binding 'a': failed expression: has(object.nothing)" in warned(answer)


async def test_audit_notes_failures_and_annotations(api: Api, log: Log) -> None:
    annotations = [
        {"key": "replicas", "valueExpression": "'has ' + string(object.spec.replicas)"},
        {"key": "nothing", "valueExpression": "null"},
        {"key": "blank", "valueExpression": "'  '"},
    ]
    made = policy("true", "object.spec.replicas > 5", auditAnnotations=annotations)
    await enforce(api, made, [binding("one", "Audit", "Warn"), binding("two", "Audit")])
    await put(api, DEPLOYMENTS, deployment())

    (failure,) = json.loads(log.said.pop("validation.policy.admission.k8s.io/validation_failure"))
    assert failure == {
        "message": "failed expression: object.spec.replicas > 5",
        "policy": "demo",
        "binding": "one",
        "expressionIndex": 1,
        "validationActions": ["Audit", "Warn"],
    }
    assert log.said.pop("demo/replicas") == "has 3"
    assert not [key for key in log.said if key.startswith("demo/")]


async def test_an_annotation_that_fails_refuses(api: Api) -> None:
    annotations = [{"key": "x", "valueExpression": "string(object.nothing)"}]
    made = policy("true", auditAnnotations=annotations)
    await enforce(api, made, [binding("one", "Audit")])
    assert "no such key: nothing" in await said(api)


@pytest.mark.parametrize(("action", "status"), [("Deny", 422), ("Allow", 201)])
async def test_parameters_that_are_not_there(api: Api, action: str, status: int) -> None:
    made = policy("false", paramKind={"apiVersion": "v1", "kind": "ConfigMap"})
    reference = {"name": "limits", "parameterNotFoundAction": action}
    await enforce(api, made, [binding(paramRef=reference)])
    answer = await api.ask("POST", DEPLOYMENTS, deployment())
    assert answer.status == status


async def test_all_selected_parameters_are_asked(api: Api) -> None:
    made = policy(
        {
            "expression": "object.spec.replicas <= int(params.data.most)",
            "messageExpression": "'at most ' + params.data.most",
        },
        paramKind={"apiVersion": "v1", "kind": "ConfigMap"},
    )
    chosen = {"selector": {"matchLabels": {"limit": "yes"}}, "parameterNotFoundAction": "Deny"}
    await enforce(api, made, [binding(paramRef=chosen)])
    for name, most, label in (("a", "5", "yes"), ("b", "2", "yes"), ("c", "1", "no")):
        meta = {"name": name, "labels": {"limit": label}}
        await put(api, MAPS, {"metadata": meta, "data": {"most": most}})

    assert await said(api) == "at most 2"
    await api.ask("PATCH", f"{MAPS}/b", {"data": {"most": "3"}}, kind=MERGE)
    assert not await said(api)


async def test_cluster_wide_requests_have_no_parameters_in_a_namespace(api: Api) -> None:
    constraints = {"resourceRules": [rule("clusterroles", group="rbac.authorization.k8s.io")]}
    kind = {"apiVersion": "v1", "kind": "ConfigMap"}
    made = policy("true", matchConstraints=constraints, paramKind=kind)
    reference = {"name": "limits", "parameterNotFoundAction": "Deny"}
    await enforce(api, made, [binding(paramRef=reference)])
    roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
    answer = await api.ask("POST", roles, {"metadata": {"name": "reader"}})
    assert answer.message.endswith(
        "failed to configure binding: cannot use namespaced paramRef in policy binding that "
        "matches cluster-scoped resources"
    )


async def test_a_policy_without_parameters_in_its_binding_sees_null(api: Api) -> None:
    made = policy("params != null", paramKind={"apiVersion": "v1", "kind": "ConfigMap"})
    await enforce(api, made)
    assert await said(api) == "failed expression: params != null"


async def test_deletions_are_judged_by_what_was_there(api: Api) -> None:
    rules = {"resourceRules": [rule("configmaps", "DELETE", group="")]}
    kept = "object == null && !('keep' in oldObject.data) && request.operation == 'DELETE'"
    await enforce(api, policy(kept, matchConstraints=rules))
    await put(api, MAPS, {"metadata": {"name": "a"}, "data": {"keep": "yes"}})
    await put(api, MAPS, {"metadata": {"name": "b"}, "data": {"color": "red"}})

    assert (await api.ask("DELETE", f"{MAPS}/a")).status == 422
    assert (await api.ask("DELETE", f"{MAPS}/b")).status == 200
    assert (await api.get(f"{MAPS}/a")).status == 200


async def test_subresources_are_matched_by_name(api: Api) -> None:
    rules = {"resourceRules": [rule("deployments/scale", "UPDATE")]}
    wish = "request.subResource != 'scale' || object.spec.replicas <= 4"
    await enforce(api, policy(wish, matchConstraints=rules))
    await put(api, DEPLOYMENTS, deployment(replicas=9))
    scale = f"{DEPLOYMENTS}/web/scale"
    for replicas, status in ((5, 422), (4, 200)):
        answer = await api.ask("PATCH", scale, {"spec": {"replicas": replicas}}, kind=MERGE)
        assert answer.status == status, answer.body


async def test_connecting_is_judged(api: Api) -> None:
    rules = {"resourceRules": [rule("pods/exec", "CONNECT", group="")]}
    words = {"expression": "request.operation != 'CONNECT'", "message": "no shells"}
    await enforce(api, policy(words, matchConstraints=rules))
    await put(api, path("Pod"), body("Pod"))
    answer = await api.ask("POST", f"{path('Pod', 'it')}/exec", command="sh")
    assert answer.message.endswith("denied request: no shells")


async def test_reviews_and_the_configuration_itself_are_let_alone(api: Api) -> None:
    await enforce(api, policy("false", matchConstraints=EVERYTHING))
    review = {"spec": {"nonResourceAttributes": {"path": "/", "verb": "get"}}}
    where = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    assert (await api.ask("POST", where, review)).status == 201
    assert (await api.ask("POST", MAPS, body("ConfigMap"))).status == 422
    assert (await api.ask("DELETE", f"{BINDINGS}/bound")).status == 200
    assert (await api.ask("POST", MAPS, body("ConfigMap"))).status == 201


async def test_namespaces_and_users_are_known(api: Api) -> None:
    seen = (
        "namespaceObject.metadata.name == 'default' && request.namespace == 'default' && "
        "request.userInfo.username == 'system:apiserver' && request.dryRun && "
        "request.resource.resource == 'deployments' && request.kind.kind == 'Deployment' && "
        "request.options.fieldManager == 'me' && namespaceObject.status.phase == 'Active'"
    )
    await enforce(api, policy(f"!({seen})"))
    answer = await api.ask("POST", DEPLOYMENTS, deployment(), dryRun="All", fieldManager="me")
    assert answer.status == 422, answer.body
    await put(api, DEPLOYMENTS, deployment())


async def test_a_version_that_rules_do_not_name_is_shown_as_the_one_they_do(api: Api) -> None:
    rules = [
        {
            "apiGroups": ["events.k8s.io"],
            "apiVersions": ["v1"],
            "operations": ["*"],
            "resources": ["events"],
        }
    ]
    wish = "object.note != 'secret' && request.requestKind.group == ''"
    await enforce(api, policy(wish, matchConstraints={"resourceRules": rules}))
    event = {**body("Event"), "message": "secret"}
    where = "/api/v1/namespaces/default/events"
    assert (await api.ask("POST", where, event)).status == 422
    assert (await api.ask("POST", where, {**event, "message": "open"})).status == 201


CHECK = "authorizer.path('/{}').check('get').allowed()"


@pytest.mark.parametrize(
    ("checks", "words"),
    [
        (3, "resulted in error: operation cancelled: actual cost limit exceeded"),
        (2, "failed expression: false"),
    ],
)
async def test_what_costs_too_much_is_stopped(api: Api, checks: int, words: str) -> None:
    dear = " && ".join(CHECK.format(i) for i in range(checks))
    await enforce(api, policy(dear, "false"))
    assert (await said(api)).endswith(words)


async def test_all_expressions_share_a_budget(api: Api) -> None:
    """Thirty checks cost more than there is, whatever a further expression says."""
    await enforce(api, policy(*[f"{CHECK.format(1)} && {CHECK.format(2)}"] * 15, "false"))
    assert await said(api) == (
        "validation failed due to running out of cost budget, no further validation rules will be "
        "run"
    )


async def test_requests_that_meet_see_the_newest_policies(api: Api) -> None:
    async def create(number: int) -> int:
        return (await api.ask("POST", DEPLOYMENTS, deployment(f"web-{number}"))).status

    await enforce(api, policy("false"))
    assert set(await asyncio.gather(*map(create, range(8)))) == {422}
    await api.ask("DELETE", f"{BINDINGS}/bound")
    assert set(await asyncio.gather(*map(create, range(8)))) == {201}


async def test_what_takes_long_does_not_hold_others(api: Api) -> None:
    many = "object.data.all(a, object.data.all(b, object.data.all(c, a + b != c)))"
    constraints = {"resourceRules": [rule("configmaps", group="")]}
    await enforce(api, policy(many, f"!({many})", matchConstraints=constraints))
    data = {f"k{i}": "x" for i in range(32)}
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0)
            beats += 1

    beating = asyncio.create_task(beat())
    answer = await api.ask("POST", MAPS, {"metadata": {"name": "big"}, "data": data})
    beating.cancel()

    assert answer.message.endswith(f"denied request: failed expression: !({many})")
    assert beats > 5
    assert (await api.get(f"{MAPS}/big")).status == 404
