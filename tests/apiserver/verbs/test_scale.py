"""The scale of what has replicas: seen, changed, owned."""

from typing import Any

import pytest

from argosy.api.kinds import PREFERRED
from argosy.apiserver.fieldmanager.entries import Entry
from argosy.apiserver.verbs.scale import scale_of, to_parent, to_scale
from tests.apiserver.kit import MERGE, POD_SPEC, STRATEGIC, Answer, Api

Json = dict[str, Any]

JSON_PATCH = "application/json-patch+json"

LABELS = {"app": "web"}
TEMPLATE = {"metadata": {"labels": LABELS}, "spec": POD_SPEC}
SPEC: Json = {"replicas": 2, "selector": {"matchLabels": LABELS}, "template": TEMPLATE}
SPECS = {
    "Deployment": SPEC,
    "ReplicaSet": SPEC,
    "StatefulSet": {**SPEC, "serviceName": "web"},
    "ReplicationController": {**SPEC, "selector": LABELS},
}
KINDS = sorted(SPECS)


def where(kind: str, below: str = "") -> str:
    return PREFERRED[kind].path("web", "default", below)


async def made(api: Api, kind: str = "Deployment", **query: str) -> Answer:
    collection = PREFERRED[kind].path("", "default")
    sent = {"metadata": {"name": "web"}, "spec": SPECS[kind]}
    created = await api.ask("POST", collection, sent, headers=None, **query)
    assert created.status == 201, created.body
    return created


def replicas_owners(obj: Answer) -> list[tuple[str, str, str]]:
    return [
        (item["manager"], item["operation"], item.get("subresource", ""))
        for item in obj.meta["managedFields"]
        if "f:replicas" in item["fieldsV1"].get("f:spec", {})
    ]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_scale_is_read(api: Api, kind: str) -> None:
    created = await made(api, kind)
    scale = await api.get(where(kind, "scale"))

    names = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    assert scale.body == {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: created.meta[name] for name in names},
        "spec": {"replicas": 2},
        "status": {"replicas": 0, "selector": "app=web"},
    }


@pytest.mark.parametrize("kind", KINDS)
async def test_a_scale_is_written(api: Api, kind: str) -> None:
    created = await made(api, kind)
    before = (await api.get(where(kind, "scale"))).body
    scaled = await api.ask("PUT", where(kind, "scale"), {**before, "spec": {"replicas": 5}})
    after = await api.get(where(kind))

    assert (scaled.status, scaled.body["kind"]) == (200, "Scale")
    assert scaled.body["spec"] == {"replicas": 5}
    assert scaled.version == after.version
    assert after.body["spec"] == {**created.body["spec"], "replicas": 5}
    assert after.meta["generation"] == 2


PATCHES = [
    (MERGE, {"spec": {"replicas": 5}}),
    (STRATEGIC, {"spec": {"replicas": 5}}),
    (JSON_PATCH, [{"op": "replace", "path": "/spec/replicas", "value": 5}]),
]


@pytest.mark.parametrize(("kind", "sent"), PATCHES)
async def test_a_scale_is_patched(api: Api, kind: str, sent: Any) -> None:
    await made(api)
    scaled = await api.ask("PATCH", where("Deployment", "scale"), sent, kind=kind)

    assert (scaled.status, scaled.body["spec"]) == (200, {"replicas": 5})
    assert (await api.get(where("Deployment"))).body["spec"]["replicas"] == 5


async def test_no_number_is_zero(api: Api) -> None:
    await made(api)
    sent = {"metadata": {"name": "web"}, "spec": {}}
    scaled = await api.ask("PUT", where("Deployment", "scale"), sent)

    assert scaled.body["spec"] == {}
    assert (await api.get(where("Deployment"))).body["spec"]["replicas"] == 0


@pytest.mark.parametrize("kind", KINDS)
async def test_there_are_no_less_than_none(api: Api, kind: str) -> None:
    await made(api, kind)
    change = {"spec": {"replicas": -1}}
    refused = await api.ask("PATCH", where(kind, "scale"), change, kind=MERGE, dryRun="All")

    assert refused.status == 422
    assert refused.message == (
        'Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: '
        "must be greater than or equal to 0"
    )


async def test_only_replicas_are_written(api: Api) -> None:
    created = await made(api)
    change = {"metadata": {"labels": {"a": "b"}}, "status": {"replicas": 9, "selector": "x=y"}}
    scaled = await api.ask("PATCH", where("Deployment", "scale"), change, kind=MERGE)

    assert scaled.body["status"] == {"replicas": 0, "selector": "app=web"}
    assert (await api.get(where("Deployment"))).body == created.body


@pytest.mark.parametrize("name", ["uid", "resourceVersion"])
async def test_a_scale_is_of_one_state(api: Api, name: str) -> None:
    await made(api)
    sent = {"metadata": {"name": "web", name: "77"}, "spec": {"replicas": 5}}
    refused = await api.ask("PUT", where("Deployment", "scale"), sent)

    assert (refused.status, refused.body["reason"]) == (409, "Conflict")
    assert refused.message.startswith('Operation cannot be fulfilled on deployments.apps "web": ')


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"metadata": {"name": "web"}, "kind": "Deployment", "spec": {"replicas": 1}}, 400),
        ({"metadata": {"name": "web"}, "apiVersion": "apps/v1", "spec": {"replicas": 1}}, 400),
        ({"metadata": {"name": "other"}, "spec": {"replicas": 1}}, 400),
        ({"spec": {"replicas": 1}}, 400),
        ({"metadata": {"name": "web"}, "spec": {"replicas": "many"}}, 422),
        ({"metadata": {"name": "web"}, "spec": {"replicas": 2**31}}, 422),
        ({"metadata": {"name": "web"}, "spec": []}, 422),
        ([], 400),
    ],
)
async def test_what_is_no_scale_is_refused(api: Api, sent: Any, code: int) -> None:
    await made(api)

    assert (await api.ask("PUT", where("Deployment", "scale"), sent)).status == code
    assert (await api.get(where("Deployment"))).body["spec"]["replicas"] == 2


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_a_scale_is_neither_created_nor_deleted(api: Api, method: str) -> None:
    await made(api)

    assert (await api.ask(method, where("Deployment", "scale"), {})).status == 405


async def test_what_is_not_there_has_no_scale(api: Api) -> None:
    scale = where("Deployment", "scale")
    config = {"apiVersion": "autoscaling/v1", "kind": "Scale", "spec": {"replicas": 3}}

    assert (await api.get(scale)).status == 404
    assert (await api.ask("PATCH", scale, {}, kind=MERGE)).status == 404
    assert (await api.apply(scale, config)).status == 404


async def test_scaling_may_be_tried(api: Api) -> None:
    await made(api)
    change = {"spec": {"replicas": 5}}
    tried = await api.ask("PATCH", where("Deployment", "scale"), change, kind=MERGE, dryRun="All")

    assert tried.body["spec"] == {"replicas": 5}
    assert (await api.get(where("Deployment"))).body["spec"]["replicas"] == 2


async def test_a_scale_has_columns_of_its_own(api: Api) -> None:
    await made(api)
    shown = await api.table(where("Deployment", "scale"))

    names = [column["name"] for column in shown.body["columnDefinitions"]]
    assert names == ["Name", "Desired", "Available", "Age"]
    assert shown.body["rows"][0]["cells"][:3] == ["web", 2, 0]


# owners


async def test_who_scales_owns_the_number(api: Api) -> None:
    await made(api, fieldManager="maker")
    change = {"spec": {"replicas": 5}}
    scale = where("Deployment", "scale")
    await api.ask("PATCH", scale, change, kind=MERGE, fieldManager="scaler")
    after = await api.get(where("Deployment"))

    assert replicas_owners(after) == [("scaler", "Update", "scale")]
    (entry,) = (item for item in after.meta["managedFields"] if item["manager"] == "scaler")
    assert (entry["apiVersion"], bool(entry["time"])) == ("apps/v1", True)
    (maker,) = (item for item in after.meta["managedFields"] if item["manager"] == "maker")
    assert "f:selector" in maker["fieldsV1"]["f:spec"]


async def test_the_same_number_changes_no_owner(api: Api) -> None:
    created = await made(api, fieldManager="maker")
    change = {"spec": {"replicas": 2}}
    scale = where("Deployment", "scale")
    await api.ask("PATCH", scale, change, kind=MERGE, fieldManager="scaler")

    assert (await api.get(where("Deployment"))).body == created.body


async def test_an_apply_to_a_scale_meets_the_owner_of_the_number(api: Api) -> None:
    config = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
    await api.apply(where("Deployment"), {**config, "spec": SPEC}, "maker")
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "spec": {"replicas": 5}}
    refused = await api.apply(where("Deployment", "scale"), scale, "scaler")
    forced = await api.apply(where("Deployment", "scale"), scale, "scaler", force="true")
    after = await api.get(where("Deployment"))

    assert refused.status == 409
    assert refused.message == 'Apply failed with 1 conflict: conflict with "maker": .spec.replicas'
    assert forced.body["spec"] == {"replicas": 5}
    assert replicas_owners(after) == [("scaler", "Apply", "scale")]


async def test_who_scales_is_met_by_who_applies(api: Api) -> None:
    config = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
    await api.apply(where("Deployment"), {**config, "spec": SPEC}, "maker")
    change = {"spec": {"replicas": 5}}
    scale = where("Deployment", "scale")
    await api.ask("PATCH", scale, change, kind=MERGE, fieldManager="scaler")
    refused = await api.apply(where("Deployment"), {**config, "spec": SPEC}, "maker")
    left = {name: item for name, item in SPEC.items() if name != "replicas"}
    agreed = await api.apply(where("Deployment"), {**config, "spec": left}, "maker")

    assert refused.status == 409
    assert 'conflict with "scaler" with subresource "scale"' in refused.message
    assert (agreed.status, agreed.body["spec"]["replicas"]) == (200, 5)


def owner(manager: str, *fields: str, version: str = "apps/v1", below: str = "") -> Entry:
    names: Json = {f"f:{name}": {} for name in fields}
    return Entry(manager, "Update", version, below, "t", {"f:spec": names})


def test_owners_go_over_and_come_back() -> None:
    both, other = owner("a", "paused", "replicas"), owner("b", "paused")
    (below,) = to_scale([both, other])
    assert below == owner("a", "replicas", version="autoscaling/v1")

    assert to_parent([both, other], [below], "apps/v1") == [both, other]
    new = owner("c", "replicas", version="autoscaling/v1", below="scale")
    assert to_parent([both, other], [new], "apps/v1") == [
        owner("a", "paused"),
        other,
        owner("c", "replicas", below="scale"),
    ]
    assert to_parent([owner("a", "replicas")], [], "apps/v1") == []


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        ({"matchLabels": {"b": "2", "a": "1"}}, "a=1,b=2"),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, "a"),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, "!a"),
        (
            {
                "matchLabels": {"z": "1"},
                "matchExpressions": [{"key": "a", "operator": "In", "values": ["y", "x"]}],
            },
            "a in (x,y),z=1",
        ),
    ],
)
def test_a_scale_says_which_pods(selector: Json, text: str) -> None:
    obj = {"kind": "Deployment", "metadata": {"name": "web"}, "spec": {"selector": selector}}

    assert scale_of(obj)["status"]["selector"] == text


def test_a_scale_of_no_selector_says_nothing_of_it() -> None:
    obj = {"kind": "ReplicationController", "metadata": {"name": "web"}, "spec": {}}

    assert scale_of(obj)["status"] == {"replicas": 0}
