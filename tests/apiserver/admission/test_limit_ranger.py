"""What a namespace gives to pods that ask for nothing, and its bounds."""

from typing import Any

import pytest

from tests.apiserver.kit import MERGE, Answer, Api, Json, body, path

RANGES = "/api/v1/namespaces/default/limitranges"


async def limited(api: Api, *limits: Json, name: str = "range") -> None:
    answer = await api.ask(
        "POST", RANGES, {"metadata": {"name": name}, "spec": {"limits": list(limits)}}
    )
    assert answer.status == 201, answer.body


def pod(**resources: Json) -> Json:
    container = {"name": "main", "image": "x", "resources": resources}
    return {"metadata": {"name": "it"}, "spec": {"containers": [container]}}


async def posted(api: Api, obj: Json) -> Answer:
    return await api.ask("POST", path("Pod"), obj)


async def test_defaults_are_given_and_told_of(api: Api) -> None:
    default = {"default": {"cpu": "500m"}, "defaultRequest": {"cpu": "100m", "memory": "64Mi"}}
    await limited(api, {"type": "Container", **default})

    made = pod(requests={"memory": "1Gi"})
    made["spec"]["initContainers"] = [{"name": "first", "image": "x"}]
    answer = await posted(api, made)

    assert answer.status == 201, answer.body
    (main,) = answer.body["spec"]["containers"]
    assert main["resources"] == {
        "requests": {"memory": "1Gi", "cpu": "100m"},
        "limits": {"cpu": "500m"},
    }
    assert answer.meta["annotations"]["kubernetes.io/limit-ranger"] == (
        "LimitRanger plugin set: cpu request for container main; cpu limit for container main; "
        "cpu, memory request for init container first; cpu limit for init container first"
    )


async def test_a_pod_has_the_class_of_what_it_is_given(api: Api) -> None:
    await limited(api, {"type": "Container", "defaultRequest": {"cpu": "100m"}})
    assert (await posted(api, pod())).body["status"]["qosClass"] == "Burstable"


CONTAINER: Json = {"type": "Container"}


@pytest.mark.parametrize(
    ("limit", "resources", "why"),
    [
        (
            {"min": {"cpu": "100m"}},
            {"requests": {"cpu": "50m"}},
            "minimum cpu usage per Container is 100m, but request is 50m",
        ),
        (
            {"max": {"memory": "1024Mi"}},
            {"limits": {"memory": "2Gi"}, "requests": {"memory": "1Gi"}},
            "maximum memory usage per Container is 1Gi, but limit is 2Gi",
        ),
        (
            {"maxLimitRequestRatio": {"cpu": "2"}},
            {"limits": {"cpu": "1"}, "requests": {"cpu": "250m"}},
            "cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000",
        ),
        (
            {"maxLimitRequestRatio": {"cpu": "2"}},
            {"requests": {"cpu": "250m"}},
            "cpu max limit to request ratio per Container is 2, but no limit is specified or "
            "limit is 0",
        ),
        (
            {"type": "Pod", "max": {"cpu": "1"}},
            {"limits": {"cpu": "1500m"}},
            "maximum cpu usage per Pod is 1, but limit is 1500m",
        ),
        (
            {"type": "Pod", "min": {"cpu": "1"}},
            {},
            "minimum cpu usage per Pod is 1.  No request is specified",
        ),
        (
            {"type": "Pod", "max": {"cpu": "1", "memory": "1Gi"}},
            {},
            "[maximum cpu usage per Pod is 1.  No limit is specified, maximum memory usage per "
            "Pod is 1Gi.  No limit is specified]",
        ),
    ],
)
async def test_what_is_out_of_bounds(api: Api, limit: Json, resources: Any, why: str) -> None:
    await limited(api, {**CONTAINER, **limit})

    answer = await posted(api, pod(**resources))

    assert (answer.status, answer.message) == (403, f'pods "it" is forbidden: {why}')


async def test_every_range_counts_and_only_in_its_namespace(api: Api) -> None:
    await limited(api, {"type": "Pod", "max": {"cpu": "2"}})
    await limited(api, {"type": "Pod", "max": {"cpu": "1"}}, name="second")

    assert (await posted(api, pod(limits={"cpu": "1500m"}))).status == 403
    assert (await posted(api, pod(limits={"cpu": "1"}))).status == 201
    elsewhere = path("Pod", namespace="kube-public")
    assert (await api.ask("POST", elsewhere, pod(limits={"cpu": "9"}))).status == 201


async def test_claims_are_bounded_too(api: Api) -> None:
    storage = {"min": {"storage": "1Gi"}, "max": {"storage": "2Gi"}}
    await limited(api, {"type": "PersistentVolumeClaim", **storage})
    claim = body("PersistentVolumeClaim")
    claim["spec"]["resources"]["requests"]["storage"] = "3Gi"

    answer = await api.ask("POST", path("PersistentVolumeClaim"), claim)
    assert answer.message == (
        'persistentvolumeclaims "it" is forbidden: maximum storage usage per '
        "PersistentVolumeClaim is 2Gi, but request is 3Gi"
    )
    claim["spec"]["resources"]["requests"]["storage"] = "1Gi"
    assert (await api.ask("POST", path("PersistentVolumeClaim"), claim)).status == 201


async def test_a_change_of_a_pod_is_not_judged_again(api: Api) -> None:
    await posted(api, pod(limits={"cpu": "5"}))
    await limited(api, {"type": "Pod", "max": {"cpu": "1"}})
    label = {"metadata": {"labels": {"a": "b"}}}
    assert (await api.ask("PATCH", path("Pod", "it"), label, kind=MERGE)).status == 200
