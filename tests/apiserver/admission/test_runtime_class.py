"""A pod gets what its class demands."""

import pytest

from tests.apiserver.kit import Answer, Api, Json, body, path

CLASSES = "/apis/node.k8s.io/v1/runtimeclasses"
OVERHEAD = {"podFixed": {"memory": "64Mi"}}
TOLERATION = {"key": "wasm", "operator": "Exists"}


async def posted(api: Api, **spec: object) -> Answer:
    scheduling = {"nodeSelector": {"disk": "ssd"}, "tolerations": [TOLERATION]}
    light = {"overhead": OVERHEAD, "scheduling": scheduling}
    sent = {"metadata": {"name": "light"}, "handler": "wasm", **light}
    assert (await api.ask("POST", CLASSES, sent)).status == 201
    pod = body("Pod")
    pod["spec"] = {**pod["spec"], **spec}
    return await api.ask("POST", path("Pod"), pod)


async def test_overhead_and_place_come_from_the_class(api: Api) -> None:
    covered = {"key": "wasm", "operator": "Equal", "value": "1"}
    answer = await posted(api, runtimeClassName="light", tolerations=[covered])
    spec = answer.body["spec"]
    assert spec["overhead"] == {"memory": "64Mi"}
    assert spec["nodeSelector"] == {"disk": "ssd"}
    assert TOLERATION in spec["tolerations"] and covered not in spec["tolerations"]


async def test_the_same_overhead_may_be_said(api: Api) -> None:
    same = {"memory": "65536Ki"}
    assert (await posted(api, runtimeClassName="light", overhead=same)).status == 201


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"runtimeClassName": "none"}, 'pod rejected: RuntimeClass "none" not found'),
        (
            {"runtimeClassName": "light", "overhead": {"memory": "1Mi"}},
            "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
        ),
        (
            {"overhead": {"memory": "1Mi"}},
            "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
        ),
        (
            {"runtimeClassName": "light", "nodeSelector": {"disk": "tape"}},
            "conflict: runtimeClass.scheduling.nodeSelector[disk] = ssd; "
            "pod.spec.nodeSelector[disk] = tape",
        ),
    ],
)
async def test_what_does_not_agree(api: Api, spec: Json, why: str) -> None:
    answer = await posted(api, **spec)
    assert (answer.status, answer.message) == (403, f'pods "it" is forbidden: {why}')
