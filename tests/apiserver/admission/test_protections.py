"""What a new node, volume or group is given, and what a running pod or a gang's job may become."""

from dataclasses import replace
from typing import Any

import pytest

from argosy.api.features import switches
from argosy.api.kinds import PREFERRED, RESOURCES
from argosy.apiserver.admission.in_use import POD_GROUPS, STORAGE
from argosy.apiserver.admission.job_parallelism import keep_parallelism
from argosy.apiserver.admission.node_features import node_can_follow
from argosy.apiserver.admission.node_taint import taint_not_ready
from argosy.base.errors import StatusError
from argosy.testing.cluster import cluster
from tests.apiserver.admission.kit import asked
from tests.apiserver.kit import Api, body, path

Json = dict[str, Any]

NOT_READY: Json = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
OTHER: Json = {"key": "a", "effect": "NoSchedule"}
EVICTS: Json = {**NOT_READY, "effect": "NoExecute"}


@pytest.mark.parametrize(
    ("given", "had"),
    [
        (None, [NOT_READY]),
        ([OTHER], [OTHER, NOT_READY]),
        ([EVICTS], [EVICTS, NOT_READY]),
        ([{**NOT_READY, "value": "x"}], [{**NOT_READY, "value": "x"}]),
    ],
)
async def test_a_new_node_is_not_ready(api: Api, given: list[Json] | None, had: list[Json]) -> None:
    new = {"metadata": {"name": "n"}, "spec": {"taints": given} if given else {}}
    taint_not_ready(asked(api, "nodes", new))
    assert new["spec"] == {"taints": had}


HELD = {
    "PersistentVolume": "kubernetes.io/pv-protection",
    "PersistentVolumeClaim": "kubernetes.io/pvc-protection",
    "PodGroup": "scheduling.k8s.io/podgroup-protection",
}


@pytest.mark.parametrize(("kind", "finalizer"), HELD.items())
async def test_what_can_be_in_use_is_held_from_the_start(kind: str, finalizer: str) -> None:
    async with cluster(protected=True) as running:
        api = Api(running)
        for name, given in (("a", []), ("b", ["x.io/y"]), ("c", [finalizer])):
            made = body(kind, name)
            made["metadata"]["finalizers"] = given
            answer = await api.ask("POST", path(kind), made)
            assert answer.status == 201, answer.body
            held = [*given, *[finalizer] * (finalizer not in given)]
            assert answer.meta["finalizers"] == held
        gone = await api.ask("DELETE", path(kind, "a"))
        assert gone.status == 200
        left = await api.ask("GET", path(kind, "a"))
        assert left.meta["deletionTimestamp"]
        # Who is on their way gets no new ones: nobody can hold an object for ever afterwards.
        forged = {"metadata": {"finalizers": [finalizer, "forged.io/x"]}}
        merge = "application/merge-patch+json"
        assert (await api.ask("PATCH", path(kind, "a"), forged, kind=merge)).status == 422


async def test_a_node_is_tainted_by_whatever_verb_it_comes() -> None:
    async with cluster(protected=True) as running:
        api = Api(running)
        applied: Json = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}
        for _ in range(2):  # the second time it is there, and what others gave it stays
            answer = await api.ask(
                "PATCH",
                path("Node", "n"),
                applied,
                kind="application/apply-patch+yaml",
                fieldManager="me",
            )
            assert answer.body["spec"]["taints"] == [NOT_READY]


@pytest.mark.parametrize(
    ("rule", "plural", "group", "gate"),
    [
        (POD_GROUPS, "podgroups", "scheduling.k8s.io", "GenericWorkload"),
        (
            STORAGE["volumeattributesclasses.storage.k8s.io"],
            "volumeattributesclasses",
            "storage.k8s.io",
            "VolumeAttributesClass",
        ),
    ],
)
async def test_a_gate_leaves_its_kind_alone(
    api: Api, rule: Any, plural: str, group: str, gate: str
) -> None:
    version = PREFERRED["PodGroup"].version if plural == "podgroups" else "v1"
    for open_ in (True, False):
        new: Json = {"metadata": {"name": "n"}}
        attributes = asked(api, plural, new, group=group, version=version)
        gates = switches(RESOURCES, "1.30" if not open_ else "1.37").gates
        assert gates.open(gate) is open_
        target = attributes.target
        attributes.target = replace(target, served=replace(target.served, gates=gates))
        rule(attributes)
        assert ("finalizers" in new["metadata"]) is open_


def resized(field: str, cpu: Any, **more: Any) -> Json:
    resources = {"resources": {"requests": {"cpu": cpu}}} if cpu else {}
    spec: Json = {"nodeName": "n", "containers": [{"name": "c"}]}
    if field == "pod":
        return {**spec, **resources}
    return {**spec, "initContainers": [{"name": "i", **resources, **more}]}


POD, INIT = (
    "InPlacePodLevelResourcesVerticalScaling",
    "InPlacePodVerticalScalingInitContainers",
)


@pytest.mark.parametrize(
    ("old", "new", "declared", "missing"),
    [
        (resized("pod", "1"), resized("pod", "2"), [], POD),
        (resized("pod", ""), resized("pod", "2"), [INIT], POD),
        (resized("pod", "1"), resized("pod", "2"), [POD], ""),
        (resized("pod", "1"), resized("pod", "1000m"), [], ""),
        (resized("init", "1"), resized("init", "2"), [POD], INIT),
        (resized("init", "1"), resized("init", "2"), [INIT], ""),
        (
            resized("init", "1", restartPolicy="Always"),
            resized("init", "2", restartPolicy="Always"),
            [],
            "",
        ),
        (
            {**resized("init", "1"), "resources": {"limits": {"cpu": 1}}},
            resized("init", "2"),
            [],
            f"{POD}, {INIT}",
        ),
        ({**resized("pod", "1"), "nodeName": ""}, {**resized("pod", "2"), "nodeName": ""}, [], ""),
    ],
)
async def test_a_pod_asks_for_what_its_node_declares(
    api: Api, old: Json, new: Json, declared: list[str], missing: str
) -> None:
    node = {"metadata": {"name": "n"}}
    await api.ask("POST", path("Node"), node)
    status = {"status": {"declaredFeatures": declared}}
    merge = "application/merge-patch+json"
    answer = await api.ask("PATCH", path("Node", "n", "status"), status, kind=merge)
    assert answer.status == 200
    meta = {"name": "p", "namespace": "default"}
    attributes = asked(
        api, "pods", {"metadata": meta, "spec": new}, {"metadata": meta, "spec": old}, name="p"
    )
    if not missing:
        node_can_follow(attributes)
        return
    with pytest.raises(StatusError) as error:
        node_can_follow(attributes)
    assert (error.value.code, error.value.message) == (
        403,
        f'pods "p" is forbidden: pod update requires features {missing} '
        'which are not available on node "n"',
    )


async def test_a_pod_whose_node_is_gone_stays_as_it_is(api: Api) -> None:
    old, new = ({"metadata": {"name": "p"}, "spec": resized("pod", cpu)} for cpu in ("1", "2"))
    with pytest.raises(StatusError) as error:
        node_can_follow(asked(api, "pods", new, old, name="p"))
    assert error.value.message == 'pods "p" is forbidden: node "n" not found'


def job(parallelism: int, group: str = "") -> Json:
    spec: Json = {"schedulingGroup": {"podGroupName": group}} if group else {}
    meta = {"name": "j", "namespace": "default", "uid": "u"}
    return {"metadata": meta, "spec": {"parallelism": parallelism, "template": {"spec": spec}}}


@pytest.mark.parametrize(
    ("policy", "owner", "named", "parallelism", "refused"),
    [
        ({"gang": {"minCount": 2}}, "", "g", 3, True),
        ({"gang": {"minCount": 2}}, "", "g", 2, False),
        ({"gang": {"minCount": 2}}, "u", "", 3, True),
        ({"gang": {"minCount": 2}}, "x", "", 3, False),
        ({"gang": {"minCount": 2}}, "u", "other", 3, False),
        ({"basic": {}}, "u", "g", 3, False),
        ({"basic": {}}, "u", "", 3, False),
    ],
)
async def test_a_gangs_job_keeps_its_parallelism(
    api: Api, policy: Json, owner: str, named: str, parallelism: int, refused: bool
) -> None:
    made: Json = {"metadata": {"name": "g"}, "spec": {"schedulingPolicy": policy}}
    if owner:
        made["metadata"]["ownerReferences"] = [
            {"apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": owner, "controller": True}
        ]
    assert (await api.ask("POST", path("PodGroup"), made)).status == 201
    attributes = asked(api, "jobs", job(parallelism, named), job(2, named), group="batch", name="j")
    if not refused:
        keep_parallelism(attributes)
        return
    with pytest.raises(StatusError) as error:
        keep_parallelism(attributes)
    assert error.value.message == (
        'jobs.batch "j" is forbidden: '
        'cannot change parallelism for a Job referencing gang-scheduled PodGroup "g"'
    )


async def test_both_are_asked_by_the_server(api: Api) -> None:
    merge = "application/merge-patch+json"
    gang = {"metadata": {"name": "g"}, "spec": {"schedulingPolicy": {"gang": {"minCount": 2}}}}
    assert (await api.ask("POST", path("PodGroup"), gang)).status == 201
    container = {"name": "c", "image": "i"}
    template = {
        "restartPolicy": "Never",
        "containers": [container],
        "schedulingGroup": {"podGroupName": "g"},
    }
    made: Json = {
        "metadata": {"name": "j"},
        "spec": {"parallelism": 2, "template": {"spec": template}},
    }
    jobs = PREFERRED["Job"]
    assert (await api.ask("POST", jobs.path("", "default"), made)).status == 201
    wider = {"spec": {"parallelism": 3}}
    answer = await api.ask("PATCH", jobs.path("j", "default"), wider, kind=merge)
    assert answer.status == 403 and "gang-scheduled PodGroup" in answer.message

    await api.ask("POST", path("Node"), {"metadata": {"name": "n"}})
    wanted = {"resources": {"requests": {"cpu": "1"}}}
    pod: Json = {
        "metadata": {"name": "p"},
        "spec": {"nodeName": "n", "initContainers": [{**container, **wanted}]},
    }
    pod["spec"]["containers"] = [{**container, "name": "d"}]
    assert (await api.ask("POST", path("Pod"), pod)).status == 201
    more = {"resources": {"requests": {"cpu": "2"}}}
    changed = {"spec": {"initContainers": [{**container, **more}]}}
    strategic = "application/strategic-merge-patch+json"
    answer = await api.ask("PATCH", path("Pod", "p", "resize"), changed, kind=strategic)
    assert answer.status == 403 and INIT in answer.message


@pytest.mark.parametrize(
    ("kind", "hostile"),
    [
        ("Node", {"spec": {"taints": [{"key": "a"}]}}),
        ("Node", {"spec": {"taints": [{"effect": "NoSchedule", "key": None}]}}),
        ("Node", {"spec": {"taints": [None]}}),
        ("Node", {"spec": {"taints": "x"}}),
        ("Node", {"spec": []}),
        ("PersistentVolumeClaim", {"metadata": {"name": "it", "finalizers": "x"}}),
        ("PersistentVolumeClaim", {"metadata": {"name": "it", "finalizers": [1]}}),
        ("PodGroup", {"metadata": {"name": "it", "finalizers": [None]}}),
    ],
)
async def test_what_is_no_object_is_refused_as_ever(kind: str, hostile: Json) -> None:
    async with cluster(protected=True) as running:
        api = Api(running)
        answer = await api.ask("POST", path(kind), {**body(kind), **hostile})
        assert answer.status in (400, 422), answer.body
