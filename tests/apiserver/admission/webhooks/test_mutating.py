"""Mutating webhooks: in order, each after the one before, and once more where that matters."""

import asyncio
from typing import Any

import pytest

from tests.apiserver.admission.webhooks.kit import (
    CONFIG_MAPS,
    MAPS,
    MUTATING,
    VALIDATING,
    Json,
    Says,
    config_map,
    configure,
    labelled,
    listening,
    patching,
    raw,
    review,
    sent,
)
from tests.apiserver.kit import Api, body, path


def rule(*resources: str, group: str = "", operations: tuple[str, ...] = ("CREATE",)) -> Json:
    return {
        "apiGroups": [group],
        "apiVersions": ["*"],
        "operations": list(operations),
        "resources": list(resources),
    }


def saying(*operations: Any) -> Says:
    """Who patches every object so."""
    return lambda request: review(request, **patching(*operations))


async def test_a_patch_is_stored(api: Api) -> None:
    async with listening(lambda request: labelled(request, by="webhook")) as hook:
        await configure(api, MUTATING, hook.one())
        answer = await sent(api)
        assert answer.status == 201
        assert answer.meta["labels"] == {"by": "webhook"}
        stored = await api.get(f"{CONFIG_MAPS}/it")
        assert stored.body == answer.body


async def test_it_sees_an_object_before_the_server_completes_it(api: Api) -> None:
    async with listening() as hook:
        await configure(api, MUTATING, hook.one())
        made = {"metadata": {"generateName": "it-"}, "data": {}}
        answer = await api.ask("POST", CONFIG_MAPS, made)
        assert answer.status == 201
        [asked] = hook.asked
        assert asked["object"]["metadata"] == {"generateName": "it-", "namespace": "default"}
        assert "name" not in asked


async def test_each_sees_what_the_one_before_left(api: Api) -> None:
    async with listening(lambda request: labelled(request, last=str(len(hook.asked)))) as hook:
        names = ("a.example.com", "b.example.com")
        await configure(api, MUTATING, *map(hook.one, names), name="first")
        await configure(api, MUTATING, hook.one("c.example.com"), name="another")
        answer = await sent(api)
        assert answer.meta["labels"] == {"last": "3"}
        seen = [one["object"]["metadata"].get("labels") for one in hook.asked]
        assert seen == [None, {"last": "1"}, {"last": "2"}]  # "another" comes before "first"


async def test_those_before_are_asked_again_if_they_want_it(api: Api) -> None:
    async with listening() as first, listening(lambda asked: labelled(asked, by="b")) as second:
        await configure(
            api,
            MUTATING,
            first.one("a.example.com", reinvocationPolicy="IfNeeded"),
            first.one("never.example.com"),
            second.one("b.example.com", reinvocationPolicy="IfNeeded"),
        )
        assert (await sent(api)).status == 201
        seen = [one["object"]["metadata"].get("labels") for one in first.asked]
        assert seen == [None, None, {"by": "b"}]
        assert len(second.asked) == 1


async def test_a_plugin_that_follows_a_webhook_makes_it_be_asked_again(api: Api) -> None:
    """The webhook adds a toleration's reason, and the plugin in the second round the toleration."""
    drop = {"op": "replace", "path": "/spec/tolerations", "value": []}

    def says(request: Json) -> Json:
        return review(request, **patching(drop)) if len(hook.asked) == 1 else review(request)

    async with listening(says) as hook:
        await configure(
            api, MUTATING, hook.one("a.example.com", rule("pods"), reinvocationPolicy="IfNeeded")
        )
        answer = await api.create("Pod")
        assert len(hook.asked) == 2
        assert len(hook.asked[1]["object"]["spec"]["tolerations"]) == 2
        assert len(answer.body["spec"]["tolerations"]) == 2


async def test_what_a_patch_leaves_is_pruned_checked_and_completed(api: Api) -> None:
    container = {"name": "side", "image": "x", "what": 1}
    add = {"op": "add", "path": "/spec/containers/-", "value": container}
    gate = {"op": "add", "path": "/spec/schedulingGates", "value": [{"name": "wait"}]}
    async with listening(lambda request: review(request, **patching(add, gate))) as hook:
        await configure(api, MUTATING, hook.one("a.example.com", rule("pods")))
        answer = await api.create("Pod")
        added = answer.body["spec"]["containers"][1]
        assert "what" not in added
        assert added["terminationMessagePolicy"] == "File"
        [condition] = answer.body["status"]["conditions"]
        assert condition["reason"] == "SchedulingGated"


WRONG: list[tuple[Any, int, str]] = [
    (
        {"op": "replace", "path": "/data", "value": "red"},
        500,
        "Internal error occurred: data: ",
    ),
    (
        {"op": "replace", "path": "/kind", "value": "Secret"},
        500,
        'Internal error occurred: admission webhook "one.example.com" attempted to change kind',
    ),
    (
        {"op": "replace", "path": "/metadata/namespace", "value": "kube-system"},
        400,
        "the namespace of the provided object does not match the namespace sent on the request",
    ),
    ({"op": "test", "path": "/data/color", "value": "blue"}, 500, "Internal error occurred: "),
    ({"op": "remove", "path": "/nowhere/at/all"}, 500, "Internal error occurred: "),
    ({"op": "jump"}, 500, "Internal error occurred: "),
    ("what", 500, "Internal error occurred: "),
    ({"op": "replace", "path": "", "value": None}, 500, "Internal error occurred: "),
    ({"op": "remove", "path": "/metadata"}, 500, "Internal error occurred: "),
]


@pytest.mark.parametrize(("operation", "code", "text"), WRONG)
async def test_a_wrong_patch_ends_the_request(
    api: Api, operation: Any, code: int, text: str
) -> None:
    async with listening(lambda request: review(request, **patching(operation))) as hook:
        await configure(api, MUTATING, hook.one(failurePolicy="Ignore"))
        answer = await sent(api)
        assert (answer.status, answer.message[: len(text)]) == (code, text), answer.message


UNUSABLE: list[tuple[Json, str]] = [
    (
        {"patch": "W10="},
        "received invalid webhook response: webhook returned response.patch but not "
        "response.patchType",
    ),
    (
        {"patchType": "JSONPatch"},
        "received invalid webhook response: webhook returned response.patchType but not "
        "response.patch",
    ),
    (
        {"patchType": ""},
        "received invalid webhook response: webhook returned response.patchType but not "
        "response.patch",
    ),
    (
        {"patch": "e30=", "patchType": "JSONPatch"},
        "received undecodable patch in webhook response: ",
    ),
    ({"patch": "!!", "patchType": "JSONPatch"}, "failed to call webhook: couldn't get "),
    ({"patch": "W3t9XQ==", "patchType": "Merge"}, 'unsupported patch type "Merge"'),
]


@pytest.mark.parametrize(("said", "why"), UNUSABLE)
async def test_a_patch_of_no_use_fails_by_policy(api: Api, said: Json, why: str) -> None:
    async with listening(lambda request: review(request, **said)) as hook:
        await configure(api, MUTATING, hook.one())
        answer = await sent(api)
        lead = 'Internal error occurred: failed calling webhook "one.example.com": '
        assert answer.message.startswith(lead + why), answer.message
        assert (await api.ask("DELETE", f"{MUTATING}/them")).status == 200
        await configure(api, MUTATING, hook.one(failurePolicy="Ignore"))
        assert (await sent(api)).status == 201


async def test_what_is_deleted_can_not_be_patched(api: Api) -> None:
    add = {"op": "add", "path": "/x", "value": 1}
    async with listening(lambda request: review(request, **patching(add))) as hook:
        await sent(api)
        await configure(api, MUTATING, hook.one())
        answer = await api.ask("DELETE", f"{CONFIG_MAPS}/it")
        assert answer.message == (
            'Internal error occurred: admission webhook "one.example.com" attempted to modify '
            "the object, which is not supported for this operation"
        )


async def test_who_an_object_is_stays_on_update(api: Api) -> None:
    made = await sent(api)
    cases: list[tuple[str, Any, int]] = [
        ("name", "other", 422),
        ("uid", "other", 422),
        ("resourceVersion", "1", 409),
        ("creationTimestamp", "2020-01-01T00:00:00Z", 200),
        ("managedFields", [], 200),
    ]
    for field, value, code in cases:
        patch = {"op": "add", "path": f"/metadata/{field}", "value": value}
        async with listening(saying(patch)) as hook:
            await configure(api, MUTATING, hook.one())
            answer = await raw(api, "PUT", f"{CONFIG_MAPS}/it", config_map(data={"a": field}))
            assert answer.status == code, (field, answer.body)
            if code == 200:
                assert answer.meta["creationTimestamp"] == made.meta["creationTimestamp"]
                assert answer.meta["managedFields"]
            assert (await api.ask("DELETE", f"{MUTATING}/them")).status == 200


async def test_a_status_is_not_written_by_way_of_the_object(api: Api) -> None:
    add = {"op": "add", "path": "/status", "value": {"phase": "Failed"}}
    both = rule("pods", operations=("CREATE", "UPDATE"))
    async with listening(lambda request: review(request, **patching(add))) as hook:
        await configure(api, MUTATING, hook.one("a.example.com", both))
        answer = await api.create("Pod")
        assert answer.body["status"]["phase"] == "Pending"
        changed = await raw(api, "PATCH", path("Pod", "it"), {"metadata": {"labels": {"a": "b"}}})
        assert changed.body["status"]["phase"] == "Pending"


async def test_a_pod_has_the_class_of_what_a_webhook_lets_it_ask_for(api: Api) -> None:
    asks = {"requests": {"cpu": "1"}}
    add = {"op": "replace", "path": "/spec/containers/0/resources", "value": asks}
    async with listening(lambda request: review(request, **patching(add))) as hook:
        await configure(api, MUTATING, hook.one("a.example.com", rule("pods")))
        assert (await api.create("Pod")).body["status"]["qosClass"] == "Burstable"


async def test_a_webhook_may_ask_the_server_in_the_middle(api: Api) -> None:
    async def calls_back() -> None:
        assert (await api.get(f"{CONFIG_MAPS}/it")).status == 404
        assert (await api.create("Pod")).status == 201

    async with listening() as hook:
        hook.before = calls_back
        await configure(api, MUTATING, hook.one(timeoutSeconds=2))
        assert (await sent(api)).status == 201


async def test_what_changes_meanwhile_is_asked_about_again(api: Api) -> None:
    target = f"{CONFIG_MAPS}/it"

    async def interferes() -> None:
        if len(hook.asked) < 3:
            await raw(api, "PATCH", f"{target}", {"data": {"n": str(len(hook.asked))}})

    await sent(api)
    async with listening() as hook:
        here = hook.one(matchConditions=[{"name": "a", "expression": "'x' in object.data"}])
        await configure(api, MUTATING, here)
        hook.before = interferes
        answer = await raw(api, "PATCH", target, {"data": {"x": "y"}})
        assert answer.status == 200, answer.body
        seen = [one["oldObject"]["data"].get("n") for one in hook.asked]
        assert seen[0] is None
        assert answer.body["data"]["n"] == "2"


async def test_a_service_keeps_its_address_between_attempts(api: Api) -> None:
    async with listening() as hook:
        services = rule("services")
        await configure(api, VALIDATING, hook.one("a.example.com", services))
        await configure(api, MUTATING, hook.one("b.example.com", services))
        made = body("Service", spec={"type": "NodePort", "ports": [{"port": 80}]})
        answer = await api.ask("POST", path("Service"), made)
        assert answer.status == 201, answer.body
        assert len(hook.asked) == 2
        first, last = (one["object"]["spec"] for one in hook.asked)
        assert "clusterIP" not in first
        assert last["clusterIP"] == answer.body["spec"]["clusterIP"]
        assert last["ports"] == answer.body["spec"]["ports"]


async def test_a_slow_webhook_is_asked_once_about_a_definition(api: Api) -> None:
    """A definition says when it was made: that must not be another moment in each attempt."""
    async with listening() as hook:
        definitions = rule("customresourcedefinitions", group="apiextensions.k8s.io")
        await configure(api, VALIDATING, hook.one("a.example.com", definitions))
        schema = {"openAPIV3Schema": {"type": "object"}}
        one = {"name": "v1", "served": True, "storage": True, "schema": schema}
        names = {"plural": "things", "singular": "thing", "kind": "Thing", "listKind": "ThingList"}
        spec = {"group": "x.io", "scope": "Namespaced", "names": names, "versions": [one]}
        hook.before = lambda: asyncio.sleep(1.1)
        made = {"metadata": {"name": "things.x.io"}, "spec": spec}
        where = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        answer = await api.ask("POST", where, made)
        assert answer.status == 201, answer.body
        assert len(hook.asked) == 1


async def test_rules_for_another_version_see_that_version(api: Api) -> None:
    events = {**rule("events"), "apiGroups": ["events.k8s.io"]}
    add = {"op": "add", "path": "/note", "value": "changed"}
    async with listening(lambda request: review(request, **patching(add))) as hook:
        await configure(api, MUTATING, hook.one("a.example.com", events))
        answer = await api.create("Event")
        assert answer.body["message"] == "changed"
        [asked] = hook.asked
        assert asked["kind"] == {"group": "events.k8s.io", "version": "v1", "kind": "Event"}
        assert asked["requestKind"] == {"group": "", "version": "v1", "kind": "Event"}
        assert asked["requestResource"]["group"] == ""
        assert asked["object"]["apiVersion"] == "events.k8s.io/v1"
        assert asked["object"]["regarding"]["name"] == "web"


async def test_a_scale_is_shown_as_one(api: Api) -> None:
    replica_sets = "/apis/apps/v1/namespaces/default/replicasets"
    labels = {"app": "web"}
    spec = {"containers": [{"name": "a", "image": "x"}]}
    template = {"metadata": {"labels": labels}, "spec": spec}
    wanted = {"selector": {"matchLabels": labels}, "template": template}
    made = {"metadata": {"name": "web"}, "spec": wanted}
    assert (await api.ask("POST", replica_sets, made)).status == 201
    five = {"op": "replace", "path": "/spec/replicas", "value": 5}
    async with listening(lambda request: review(request, **patching(five))) as hook:
        scales = rule("replicasets/scale", group="apps", operations=("UPDATE",))
        await configure(api, MUTATING, hook.one("a.example.com", scales))
        answer = await raw(api, "PATCH", f"{replica_sets}/web/scale", {"spec": {"replicas": 3}})
        assert answer.body["spec"]["replicas"] == 5
        [asked] = hook.asked
        assert asked["kind"] == {"group": "autoscaling", "version": "v1", "kind": "Scale"}
        assert asked["object"]["spec"] == {"replicas": 3}
        assert asked["oldObject"]["spec"] == {"replicas": 1}


async def test_rules_that_name_no_resource_of_the_request_cost_no_call(api: Api) -> None:
    async with listening() as hook:
        await configure(api, MUTATING, hook.one("a.example.com", {**MAPS, "scope": "Cluster"}))
        assert (await sent(api)).status == 201
        assert hook.asked == []
