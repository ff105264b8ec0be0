"""Eviction: a deletion that a disruption budget may refuse."""

import asyncio
from typing import Any

import pytest

from argosy.api.kinds import PREFERRED
from tests.apiserver.kit import MERGE, Answer, Api, binding, body, path

Json = dict[str, Any]

POD = path("Pod", "it")
EVICTION = path("Pod", "it", "eviction")
BUDGETS = PREFERRED["PodDisruptionBudget"].path("", "default")
BUDGET = f"{BUDGETS}/web"
LABELS = {"app": "web"}
HEALTHY = {"disruptionsAllowed": 1, "currentHealthy": 2, "desiredHealthy": 1, "expectedPods": 2}
REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."
READY = {"type": "Ready", "status": "True"}
SINCE = {"lastTransitionTime": "2026-01-01T00:00:00Z"}


async def pod(api: Api, name: str = "it", phase: str = "Running", ready: bool = True) -> Answer:
    """A pod on a node, which stays there for a while when it is deleted."""
    await api.create("Pod", {**body("Pod"), "metadata": {"name": name, "labels": LABELS}})
    assert (await api.ask("POST", path("Pod", name, "binding"), binding(name))).status == 201
    status: Json = {"phase": phase, "conditions": [READY] if ready else []}
    where = path("Pod", name, "status")
    return await api.ask("PATCH", where, {"status": status}, kind=MERGE)


async def budget(api: Api, name: str = "web", *, status: Json | None = None, **spec: Any) -> None:
    fresh = {"selector": {"matchLabels": LABELS}, "minAvailable": 1, **spec}
    created = await api.ask("POST", BUDGETS, {"metadata": {"name": name}, "spec": fresh})
    assert created.status == 201, created.body
    seen = {"observedGeneration": 1, **HEALTHY, **(status or {})}
    answer = await api.ask("PATCH", f"{BUDGETS}/{name}/status", {"status": seen}, kind=MERGE)
    assert answer.status == 200, answer.body


async def evict(api: Api, name: str = "it", options: Json | None = None, **query: str) -> Answer:
    sent = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    if options is not None:
        sent["deleteOptions"] = options
    return await api.ask("POST", path("Pod", name, "eviction"), sent, headers=None, **query)


async def is_going(api: Api, name: str = "it") -> bool:
    found = await api.get(path("Pod", name))
    return found.status == 404 or "deletionTimestamp" in found.meta


def why(answer: Answer) -> str:
    (cause,) = answer.body["details"]["causes"]
    assert cause["reason"] == "DisruptionBudget"
    return str(cause["message"])


async def test_a_pod_without_a_budget_goes(api: Api) -> None:
    await pod(api)
    answer = await evict(api)
    going = await api.get(POD)

    assert (answer.status, answer.body["status"]) == (201, "Success")
    assert "deletionTimestamp" in going.meta
    (target,) = (one for one in going.body["status"]["conditions"] if one["type"] != "Ready")
    del target["lastTransitionTime"]
    assert target == {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting",
    }


async def test_a_budget_pays_for_a_disruption(api: Api) -> None:
    await pod(api)
    await budget(api)
    answer = await evict(api)
    status = (await api.get(BUDGET)).body["status"]

    assert answer.status == 201
    assert await is_going(api)
    assert status["disruptionsAllowed"] == 0
    assert list(status["disruptedPods"]) == ["it"]
    (condition,) = status["conditions"]
    assert (condition["type"], condition["status"]) == ("DisruptionAllowed", "False")
    assert (condition["reason"], condition["observedGeneration"]) == ("InsufficientPods", 1)


async def test_no_disruption_is_paid_for_twice(api: Api) -> None:
    for name in ("a", "b", "c"):
        await pod(api, name)
    await budget(api, status={"disruptionsAllowed": 2})
    answers = await asyncio.gather(*(evict(api, name) for name in ("a", "b", "c")))

    assert sorted(answer.status for answer in answers) == [201, 201, 429]
    assert (await api.get(BUDGET)).body["status"]["disruptionsAllowed"] == 0
    assert sum([await is_going(api, name) for name in ("a", "b", "c")]) == 2


def unmet(reason: str, message: str = "too few") -> Json:
    conditions = [
        {
            "type": "DisruptionAllowed",
            "status": "False",
            "reason": reason,
            "message": message,
            **SINCE,
        }
    ]
    return {"conditions": conditions}


NONE_LEFT = {"disruptionsAllowed": 0}
REASONS: list[tuple[Json, str]] = [
    ({"currentHealthy": 1}, "The disruption budget web needs 1 healthy pods and has 1 currently"),
    ({}, "The disruption budget web does not allow evicting pods currently"),
    (
        unmet("Other"),
        "The disruption budget web does not allow evicting pods currently (Other): too few",
    ),
    (
        unmet("SyncFailed"),
        "The disruption budget web does not allow evicting pods currently because it failed "
        "sync: too few",
    ),
]


@pytest.mark.parametrize(("status", "text"), REASONS)
async def test_a_budget_that_is_used_up_refuses(api: Api, status: Json, text: str) -> None:
    await pod(api)
    await budget(api, status={**NONE_LEFT, **status})
    answer = await evict(api)

    assert (answer.status, answer.body["reason"]) == (429, "TooManyRequests")
    assert answer.message == REFUSED
    assert why(answer) == text
    assert "retry-after" not in answer.headers
    assert not await is_going(api)


async def test_a_budget_that_nobody_looked_at_refuses(api: Api) -> None:
    await pod(api)
    await budget(api, status={"observedGeneration": 0})
    answer = await evict(api)

    assert answer.status == 429
    assert answer.headers["retry-after"] == "10"
    assert why(answer) == "The disruption budget web is still being processed by the server."
    assert not await is_going(api)


async def test_a_budget_may_have_too_many_on_their_way(api: Api) -> None:
    await pod(api)
    moments = dict.fromkeys((f"p{i}" for i in range(2001)), SINCE["lastTransitionTime"])
    await budget(api, status={"disruptedPods": moments})
    answer = await evict(api)

    assert answer.status == 403
    assert "DisruptedPods map too big" in answer.message


async def test_two_budgets_are_one_too_many(api: Api) -> None:
    await pod(api)
    await budget(api)
    await budget(api, "other")
    answer = await evict(api)

    assert answer.status == 500
    assert answer.message == (
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does "
        "not support."
    )
    assert not await is_going(api)


@pytest.mark.parametrize(
    ("selector", "covered"),
    [
        ({}, True),
        ({"matchLabels": {"app": "other"}}, False),
        (None, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "x"]}]}, True),
    ],
)
async def test_a_budget_covers_whom_it_selects(api: Api, selector: Any, covered: bool) -> None:
    await pod(api)
    await budget(api, status=NONE_LEFT, selector=selector)

    assert (await evict(api)).status == (429 if covered else 201)


async def test_a_budget_is_of_its_namespace(api: Api) -> None:
    await pod(api)
    elsewhere = PREFERRED["PodDisruptionBudget"].path("", "kube-system")
    spec = {"selector": {}, "minAvailable": 1}
    await api.ask("POST", elsewhere, {"metadata": {"name": "web"}, "spec": spec})

    assert (await evict(api)).status == 201


@pytest.mark.parametrize("phase", ["Pending", "Succeeded", "Failed"])
async def test_what_does_not_run_needs_no_budget(api: Api, phase: str) -> None:
    await pod(api, phase=phase)
    await budget(api, status=NONE_LEFT)

    assert (await evict(api)).status == 201
    assert await is_going(api)
    assert "disruptedPods" not in (await api.get(BUDGET)).body["status"]


async def test_what_is_going_needs_no_budget(api: Api) -> None:
    await pod(api)
    await budget(api, status=NONE_LEFT)
    await api.ask("DELETE", POD)

    assert (await evict(api)).status == 201


@pytest.mark.parametrize(
    ("policy", "status", "code"),
    [
        (None, {}, 201),
        ("IfHealthyBudget", {}, 201),
        ("IfHealthyBudget", {"currentHealthy": 0}, 429),
        (None, {"currentHealthy": 0, "desiredHealthy": 0}, 429),
        ("AlwaysAllow", {"currentHealthy": 0}, 201),
    ],
)
async def test_a_pod_that_is_not_ready_may_count_for_nothing(
    api: Api, policy: str | None, status: Json, code: int
) -> None:
    await pod(api, ready=False)
    spec = {} if policy is None else {"unhealthyPodEvictionPolicy": policy}
    await budget(api, status={**NONE_LEFT, **status}, **spec)

    assert (await evict(api)).status == code
    assert await is_going(api) is (code == 201)


@pytest.mark.parametrize("said", ["query", "body", "both"])
async def test_an_eviction_may_be_tried(api: Api, said: str) -> None:
    before = await pod(api)
    await budget(api)
    options = {"dryRun": ["All"]} if said != "query" else None
    query = {"dryRun": "All"} if said != "body" else {}
    answer = await evict(api, options=options, **query)
    kept = await api.get(BUDGET)

    assert answer.status == 201
    assert (await api.get(POD)).body == before.body
    assert kept.body["status"]["disruptionsAllowed"] == 1


async def test_a_trial_is_refused_as_the_real_one(api: Api) -> None:
    await pod(api)
    await budget(api, status=NONE_LEFT)

    assert (await evict(api, dryRun="All")).status == 429


async def test_an_eviction_may_give_less_time(api: Api) -> None:
    await pod(api)
    await evict(api, options={"gracePeriodSeconds": 3})

    assert (await api.get(POD)).meta["deletionGracePeriodSeconds"] == 3


@pytest.mark.parametrize("name", ["uid", "resourceVersion"])
@pytest.mark.parametrize("phase", ["Running", "Pending"])
async def test_an_eviction_may_mean_one_state(api: Api, name: str, phase: str) -> None:
    meta = (await pod(api, phase=phase)).meta
    other = await evict(api, options={"preconditions": {name: "77"}})
    untouched = await api.get(POD)
    right = await evict(api, options={"preconditions": {name: meta[name]}})

    assert (other.status, other.body["reason"]) == (409, "Conflict")
    assert untouched.version == meta["resourceVersion"]
    assert right.status == 201


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"metadata": {"name": "it"}, "apiVersion": "policy/v1beta1"}, 201),
        ({"metadata": {"name": "it"}}, 201),
        ({"metadata": {"name": "it"}, "apiVersion": "v1"}, 400),
        ({"metadata": {"name": "it"}, "kind": "Pod"}, 400),
        ({"metadata": {"name": "other"}}, 400),
        ({"metadata": {"name": "it", "namespace": "other"}}, 400),
        ({"metadata": []}, 400),
        ({}, 400),
        ([], 400),
        ({"metadata": {"name": "it"}, "deleteOptions": []}, 422),
        ({"metadata": {"name": "it"}, "deleteOptions": {"gracePeriodSeconds": "x"}}, 422),
        ({"metadata": {"name": "it"}, "deleteOptions": {"preconditions": []}}, 422),
        ({"metadata": {"name": "it"}, "deleteOptions": {"dryRun": ["Some"]}}, 422),
        ({"metadata": {"name": "it"}, "deleteOptions": {"propagationPolicy": "Odd"}}, 422),
    ],
)
async def test_an_eviction_is_read_with_care(api: Api, sent: Any, code: int) -> None:
    await pod(api)
    await budget(api)

    assert (await api.ask("POST", EVICTION, sent)).status == code
    left = (await api.get(BUDGET)).body["status"]["disruptionsAllowed"]
    assert left == (0 if code == 201 else 1)


async def test_a_broken_store_is_nothing_for_an_eviction(api: Api) -> None:
    await pod(api)
    answer = await evict(api, options={"ignoreStoreReadErrorWithClusterBreakingPotential": True})

    assert answer.status == 422
    assert answer.body["details"]["kind"] == "Eviction"


async def test_what_is_not_there_cannot_be_evicted(api: Api) -> None:
    answer = await evict(api)

    assert (answer.status, answer.message) == (404, 'pods "it" not found')
