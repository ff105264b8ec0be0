"""The class of a claim, and whether it may grow."""

import pytest

from tests.apiserver.kit import MERGE, Api, Json, body, path

CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
DEFAULT = {"storageclass.kubernetes.io/is-default-class": "true"}
OLD = {"volume.beta.kubernetes.io/storage-class": "ancient"}


@pytest.mark.parametrize(
    ("meta", "spec", "named"),
    [
        ({}, {}, "standard"),
        ({}, {"storageClassName": ""}, ""),
        ({}, {"storageClassName": "fast"}, "fast"),
        ({"annotations": OLD}, {}, None),
    ],
)
async def test_the_default_class(api: Api, meta: Json, spec: Json, named: str | None) -> None:
    claim = body("PersistentVolumeClaim")
    claim["metadata"] |= meta
    claim["spec"] |= spec
    answer = await api.create("PersistentVolumeClaim", claim)
    assert answer.body["spec"].get("storageClassName") == named


async def test_without_a_default_there_is_none(api: Api) -> None:
    await api.ask("DELETE", f"{CLASSES}/standard")
    assert "storageClassName" not in (await api.create("PersistentVolumeClaim")).body["spec"]


async def grown(api: Api, size: str) -> tuple[int, str]:
    patch = {"spec": {"resources": {"requests": {"storage": size}}}}
    answer = await api.ask("PATCH", path("PersistentVolumeClaim", "it"), patch, kind=MERGE)
    return answer.status, answer.message


async def bound(api: Api) -> None:
    where = path("PersistentVolumeClaim", "it", "status")
    patch = {"status": {"phase": "Bound", "capacity": {"storage": "1Gi"}}}
    assert (await api.ask("PATCH", where, patch, kind=MERGE)).status == 200


async def test_a_claim_grows_where_its_class_allows_it(api: Api) -> None:
    await api.create("PersistentVolumeClaim")
    assert (await grown(api, "2Gi"))[0] in (403, 422)
    await bound(api)
    code, said = await grown(api, "2Gi")
    assert (code, "must support resize" in said) == (403, True)
    allow = {"allowVolumeExpansion": True}
    await api.ask("PATCH", f"{CLASSES}/standard", allow, kind=MERGE)
    assert await grown(api, "2Gi") == (200, "")
