"""How a pod gets its token, where it gets one."""

import pytest

from argosy.apiserver.admission.service_account import ServiceAccounts
from argosy.apiserver.admission.token_volume import NAME, PATH, mount, wanted
from tests.apiserver.admission.kit import asked
from tests.apiserver.kit import Api, Json, body


@pytest.mark.parametrize(
    ("pod", "account", "expected"),
    [
        (None, None, True),
        (None, False, False),
        (True, False, True),
        (False, True, False),
    ],
)
def test_who_wants_one(pod: bool | None, account: bool | None, expected: bool) -> None:
    said = ({} if one is None else {"automountServiceAccountToken": one} for one in (pod, account))
    assert wanted(*said) is expected


def test_every_container_has_it_once() -> None:
    busy = {"name": "busy", "volumeMounts": [{"name": "mine", "mountPath": PATH}]}
    spec: Json = {"containers": [{"name": "a"}, busy], "initContainers": [{"name": "i"}]}
    mount(spec)
    (volume,) = spec["volumes"]
    assert volume["name"].startswith(NAME)
    assert [next(iter(source)) for source in volume["projected"]["sources"]] == [
        "serviceAccountToken",
        "configMap",
        "downwardAPI",
    ]
    expected = {"name": volume["name"], "readOnly": True, "mountPath": PATH}
    assert spec["containers"][0]["volumeMounts"] == [expected]
    assert spec["initContainers"][0]["volumeMounts"] == [expected]
    assert len(busy["volumeMounts"]) == 1
    before = {**spec}
    mount(spec)
    assert spec == before


def test_nobody_needs_it() -> None:
    spec: Json = {"containers": [{"name": "a", "volumeMounts": [{"mountPath": PATH}]}]}
    mount(spec)
    assert "volumes" not in spec


@pytest.mark.parametrize("mounted", [True, False])
async def test_a_pod_gets_it_where_the_node_serves_it(api: Api, mounted: bool) -> None:
    attributes = asked(api, "pods", body("Pod"))
    ServiceAccounts(mounted=mounted).complete(attributes)
    assert ("volumes" in attributes.new["spec"]) is mounted
