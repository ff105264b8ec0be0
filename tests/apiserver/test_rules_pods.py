"""What is wrong with a pod, and where; and what of it may change."""

from typing import Any

import pytest

from tests.apiserver.kit import CONTAINER, MERGE, Api, body, path
from tests.apiserver.rules import assert_fields, merged, one, refused

Json = dict[str, Any]

C = "spec.containers[0]"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"spec": {"containers": []}}, "spec.containers"),
        ({"spec": {"containers": ...}}, "spec.containers"),
        ({"spec": {"containers": "main"}}, "spec.containers"),
        ({"spec": {"containers": [{}]}}, f"{C}.name"),
        ({"spec": {"containers": [None]}}, f"{C}.name"),
        ({"spec": {"containers": [CONTAINER, CONTAINER]}}, "spec.containers[1].name"),
        ({"spec": {"restartPolicy": "Sometimes"}}, "spec.restartPolicy"),
        ({"spec": {"terminationGracePeriodSeconds": "9"}}, "spec.terminationGracePeriodSeconds"),
        ({"spec": {"activeDeadlineSeconds": 0}}, "spec.activeDeadlineSeconds"),
        ({"spec": {"activeDeadlineSeconds": 2**31}}, "spec.activeDeadlineSeconds"),
        ({"spec": {"hostname": "A.b"}}, "spec.hostname"),
        ({"spec": {"subdomain": "a_b"}}, "spec.subdomain"),
        ({"spec": {"volumes": [{"name": "V", "emptyDir": {}}]}}, "spec.volumes[0].name"),
        ({"spec": {"volumes": [{"name": "v", "emptyDir": {}}] * 2}}, "spec.volumes[1].name"),
        (
            {"spec": {"volumes": [{"name": "v", "emptyDir": {}, "hostPath": {"path": "/"}}]}},
            "spec.volumes[0].hostPath",
        ),
        (
            {"spec": {"resourceClaims": [{"name": "G", "resourceClaimName": "c"}]}},
            "spec.resourceClaims[0].name",
        ),
        (
            {"spec": {"resourceClaims": [{"name": "g", "resourceClaimName": "c"}] * 2}},
            "spec.resourceClaims[1]",
        ),
        ({"spec": {"resourceClaims": [{"name": "g"}]}}, "spec.resourceClaims[0]"),
        (
            {
                "spec": {
                    "resourceClaims": [
                        {
                            "name": "g",
                            "resourceClaimName": "c",
                            "resourceClaimTemplateName": "t",
                        }
                    ]
                }
            },
            "spec.resourceClaims[0]",
        ),
        (one(name="Main"), f"{C}.name"),
        (one(name="a.b"), f"{C}.name"),
        (one(name="x" * 64), f"{C}.name"),
        (one(image=""), f"{C}.image"),
        (one(image=None), f"{C}.image"),
        (one(image=5), f"{C}.image"),
        (one(ports=[{"containerPort": 0}]), f"{C}.ports[0].containerPort"),
        (one(ports=[{"containerPort": 65536}]), f"{C}.ports[0].containerPort"),
        (one(ports=[{"containerPort": "http"}]), f"{C}.ports[0].containerPort"),
        (
            one(ports=[{"containerPort": 1, "name": "p"}, {"containerPort": 2, "name": "p"}]),
            f"{C}.ports[1].name",
        ),
        (one(env=[{"name": ""}]), f"{C}.env[0].name"),
        (one(env=[{"name": "A=B"}]), f"{C}.env[0].name"),
        (
            one(
                env=[
                    {
                        "name": "A",
                        "value": "b",
                        "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}},
                    }
                ]
            ),
            f"{C}.env[0].valueFrom",
        ),
        (one(env=[{"name": "A", "value": 1}]), f"{C}.env[0].value"),
        (one(volumeMounts=[{"name": "v", "mountPath": "/v"}]), f"{C}.volumeMounts[0].name"),
        (one(resources={"requests": {"cpu": "-1"}}), f"{C}.resources.requests[cpu]"),
        (one(resources={"limits": {"memory": "much"}}), f"{C}.resources.limits[memory]"),
        (one(resources={"requests": {"a b": "1"}}), f"{C}.resources.requests[a b]"),
        (
            one(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}),
            f"{C}.resources.requests",
        ),
        (one(resources={"claims": [{"name": "g"}]}), f"{C}.resources.claims[0]"),
        (one(command="sh"), f"{C}.command"),
        (one(args=[1]), f"{C}.args[0]"),
    ],
)
async def test_pods(api: Api, wrong: Json, field: str) -> None:
    await refused(api, "Pod", wrong, field)


@pytest.mark.parametrize(
    ("mount", "field"),
    [
        ({"mountPath": ""}, "[1].mountPath"),
        ({"mountPath": "/v", "subPath": "/a"}, ""),
        ({"mountPath": "/v", "subPath": "a/../b"}, ""),
        ({"mountPath": "/w"}, "[1].mountPath"),  # which is taken
    ],
)
async def test_mounts(api: Api, mount: Json, field: str) -> None:
    mounts = [{"name": "v", "mountPath": "/w"}, {"name": "v", **mount}]
    pod = one(volumeMounts=mounts)
    pod["spec"]["volumes"] = [{"name": "v", "emptyDir": {}}]

    await refused(api, "Pod", pod, f"{C}.volumeMounts{field}")


async def test_a_pod_that_uses_much_is_good(api: Api) -> None:
    pod = one(
        ports=[{"containerPort": 65535, "name": "http"}],
        env=[{"name": "A"}, {"name": "b.c-d", "value": "e"}],
        volumeMounts=[{"name": "v", "mountPath": "/v", "subPath": "a..b/c"}],
        resources={
            "requests": {"cpu": "500m", "memory": "1Gi"},
            "limits": {"cpu": 1, "memory": "1Gi"},
            "claims": [{"name": "g"}],
        },
    )
    pod["spec"] |= {
        "volumes": [{"name": "v", "emptyDir": {}}],
        "resourceClaims": [{"name": "g", "resourceClaimName": "c"}],
        "terminationGracePeriodSeconds": 0,
        "activeDeadlineSeconds": 1,
        "hostname": "web-0",
    }
    await api.create("Pod", merged(body("Pod"), pod))


async def test_init_containers_are_containers(api: Api) -> None:
    nameless = {"spec": {"initContainers": [{"name": "first", "image": ""}]}}
    twice = {"spec": {"initContainers": [{"name": "main", "image": "i"}]}}
    answer = await api.ask("POST", path("Pod"), merged(body("Pod"), twice))

    await refused(api, "Pod", nameless, "spec.initContainers[0].image")
    assert answer.status == 422
    assert 'name: Duplicate value: "main"' in answer.message


ONCE = "pod updates may not change fields other than"


@pytest.mark.parametrize(
    "change",
    [
        {"nodeName": "here"},
        {"restartPolicy": "Never"},
        {"hostname": "a"},
        {"terminationGracePeriodSeconds": 5},
        {"nodeSelector": {"a": "b"}},
        {"containers": [{**CONTAINER, "command": ["sh"]}]},
        {"containers": [{**CONTAINER, "name": "other"}]},
        {"containers": [CONTAINER, {**CONTAINER, "name": "other"}]},
    ],
)
async def test_most_of_a_pod_stays_as_it_is(api: Api, change: Json) -> None:
    created = await api.create("Pod")
    sent = merged(created.body, {"spec": change})
    sent["spec"]["containers"] = [
        {**created.body["spec"]["containers"][0], **item} for item in sent["spec"]["containers"]
    ]
    answer = await api.ask("PUT", path("Pod", "it"), sent)

    assert_fields(answer, "spec")
    assert (await api.get(path("Pod", "it"))).body == created.body


async def test_a_pod_says_that_it_stays(api: Api) -> None:
    await api.create("Pod")
    answer = await api.ask("PATCH", path("Pod", "it"), {"spec": {"hostname": "a"}}, kind=MERGE)

    assert ONCE in answer.message
    assert "Forbidden: " in answer.message


@pytest.mark.parametrize(
    "change",
    [
        {"containers": [{**CONTAINER, "image": "python:3.13"}]},
        {"activeDeadlineSeconds": 5},
        {"tolerations": [{"key": "a", "operator": "Exists"}]},
    ],
)
async def test_some_of_a_pod_may_change(api: Api, change: Json) -> None:
    created = await api.create("Pod")
    sent = merged(created.body, {"spec": change})
    sent["spec"]["containers"] = [
        {**created.body["spec"]["containers"][0], **item} for item in sent["spec"]["containers"]
    ]

    assert (await api.ask("PUT", path("Pod", "it"), sent)).status == 200


A, B = ({"key": key, "operator": "Exists", "effect": "NoExecute"} for key in "ab")


@pytest.mark.parametrize(
    ("before", "after", "good"),
    [
        ([], [A], True),
        ([A], [A, B], True),
        ([A], [B, A], True),
        ([A], [{**A, "tolerationSeconds": 5}], True),
        ([A], [], False),
        ([A, B], [B], False),
        ([A], [{**A, "effect": "NoSchedule"}], False),
    ],
)
async def test_tolerations_are_only_added(
    api: Api, before: list[Json], after: list[Json], good: bool
) -> None:
    await api.create("Pod", merged(body("Pod"), {"spec": {"tolerations": before}}))
    change = {"spec": {"tolerations": after}}
    answer = await api.ask("PATCH", path("Pod", "it"), change, kind=MERGE)

    if good:
        assert answer.status == 200
    else:
        assert_fields(answer, "spec.tolerations")


@pytest.mark.parametrize(
    ("before", "after", "good"),
    [(None, 9, True), (9, 5, True), (9, 9, True), (9, 10, False), (9, None, False)],
)
async def test_deadlines_only_come_nearer(
    api: Api, before: int | None, after: int | None, good: bool
) -> None:
    pod = body("Pod")
    if before is not None:
        pod["spec"]["activeDeadlineSeconds"] = before
    await api.create("Pod", pod)
    change = {"spec": {"activeDeadlineSeconds": after}}
    answer = await api.ask("PATCH", path("Pod", "it"), change, kind=MERGE)

    if good:
        assert answer.status == 200
    else:
        assert_fields(answer, "spec.activeDeadlineSeconds")


@pytest.mark.parametrize(
    ("after", "good"), [(["a"], True), ([], True), (["a", "b"], True), (["a", "b", "c"], False)]
)
async def test_gates_are_only_taken_away(api: Api, after: list[str], good: bool) -> None:
    def gates(names: list[str]) -> Json:
        return {"spec": {"schedulingGates": [{"name": name} for name in names]}}

    await api.create("Pod", merged(body("Pod"), gates(["a", "b"])))
    answer = await api.ask("PATCH", path("Pod", "it"), gates(after), kind=MERGE)

    if good:
        assert answer.status == 200
    else:
        assert_fields(answer, "spec.schedulingGates")
