"""What no rule may fall over: objects with holes, before their kind's own rules have seen them."""

from typing import Any

import pytest

from tests.apiserver.kit import Api, Json, body

CORE = "/api/v1/namespaces/default"
BARE = {"metadata": {"name": "it"}}
MIRROR = {"annotations": {"kubernetes.io/config.mirror": "x"}}
CONTAINER = {"name": "a", "image": "x"}
WHERE = {
    "pods": f"{CORE}/pods",
    "persistentvolumeclaims": f"{CORE}/persistentvolumeclaims",
    "services": f"{CORE}/services",
    "serviceaccounts": f"{CORE}/serviceaccounts",
    "resourcequotas": f"{CORE}/resourcequotas",
    "limitranges": f"{CORE}/limitranges",
    "nodes": "/api/v1/nodes",
    "ingresses": "/apis/networking.k8s.io/v1/namespaces/default/ingresses",
    "podgroups": "/apis/scheduling.k8s.io/v1beta1/namespaces/default/podgroups",
    "resourceclaims": "/apis/resource.k8s.io/v1/namespaces/default/resourceclaims",
    "resourceslices": "/apis/resource.k8s.io/v1/resourceslices",
    "leases": "/apis/coordination.k8s.io/v1/namespaces/default/leases",
    "csinodes": "/apis/storage.k8s.io/v1/csinodes",
    "requests": "/apis/certificates.k8s.io/v1/certificatesigningrequests",
    "bundles": "/apis/certificates.k8s.io/v1/clustertrustbundles",
    "priorities": "/apis/scheduling.k8s.io/v1/priorityclasses",
}
NODE = {"impersonate-user": "system:node:it", "impersonate-group": "system:nodes"}
PODS: tuple[Json, ...] = (
    {},
    {"containers": None},
    {"containers": []},
    {"containers": [{}]},
    {"containers": [{**CONTAINER, "resources": None}]},
    {"containers": [{**CONTAINER, "resources": {"requests": None, "limits": {"cpu": "x"}}}]},
    {"containers": [{**CONTAINER, "env": [{"name": "A", "valueFrom": {}}], "envFrom": [{}]}]},
    {"containers": [CONTAINER], "overhead": {"cpu": "x"}, "runtimeClassName": "light"},
    {"containers": [CONTAINER], "volumes": [{"name": "v", "projected": {}}]},
    {"containers": [CONTAINER], "volumes": [{"name": "v", "secret": None}]},
    {"containers": [CONTAINER], "volumes": [{"name": "v", "projected": {"sources": [{}]}}]},
    {"containers": [CONTAINER], "tolerations": [{}], "imagePullSecrets": [{}]},
    {"containers": [CONTAINER], "affinity": {"podAffinity": None}, "priorityClassName": "/"},
)


async def furnished(api: Api) -> None:
    """Something for every rule to look at."""
    limits = [{"type": kind, "max": {"cpu": "1"}} for kind in ("Pod", "Container")]
    limits.append({"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}})
    hard = {"pods": "9", "requests.storage": "9", "services.nodeports": "1", "requests.cpu": "9"}
    light = {"overhead": {"podFixed": {"cpu": "1"}}, "handler": "host"}
    made: tuple[tuple[str, Json], ...] = (
        (WHERE["limitranges"], {"metadata": {"name": "r"}, "spec": {"limits": limits}}),
        (WHERE["resourcequotas"], {"metadata": {"name": "q"}, "spec": {"hard": hard}}),
        ("/apis/node.k8s.io/v1/runtimeclasses", {"metadata": {"name": "light"}, **light}),
    )
    for where, obj in made:
        assert (await api.ask("POST", where, obj)).status == 201


@pytest.mark.parametrize("plural", WHERE)
@pytest.mark.parametrize("more", [{}, {"spec": None}, {"spec": {}}])
async def test_objects_without_a_spec(api: Api, plural: str, more: Any) -> None:
    await furnished(api)
    for headers in ({}, NODE):
        answer = await api.ask("POST", WHERE[plural], {**BARE, **more}, headers=headers)
        assert answer.status < 500, answer.body


@pytest.mark.parametrize("spec", PODS)
@pytest.mark.parametrize("meta", [{}, MIRROR])
async def test_pods_with_holes(api: Api, spec: Json, meta: Json) -> None:
    await furnished(api)
    for name in ("nodeName", "hostname"):
        pod = {"metadata": {"name": "it", **meta}, "spec": {**spec, name: "it"}}
        answer = await api.ask("POST", WHERE["pods"], pod)
        assert answer.status < 500, answer.body


async def test_what_is_posted_below(api: Api) -> None:
    await furnished(api)
    pod = body("Pod")
    pod["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "1"}}
    await api.create("Pod", pod)
    for where in (f"{WHERE['pods']}/it", f"{WHERE['serviceaccounts']}/default"):
        for below in ("binding", "eviction", "token", "exec", "attach", "portforward", "proxy"):
            for sent in ({}, BARE, {**BARE, "spec": None, "target": None}):
                for headers in ({}, NODE):
                    answer = await api.ask("POST", f"{where}/{below}", sent, headers=headers)
                    assert answer.status < 500 or answer.status == 503, answer.body
