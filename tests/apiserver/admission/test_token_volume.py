"""How a pod gets its token, where it gets one."""

import re

import pytest

from argosy.apiserver.admission.service_account import ServiceAccounts
from argosy.apiserver.admission.token_volume import (
    LETTERS,
    NAME,
    PATH,
    mount,
    volume_name,
    wanted,
)
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
    mount(spec, "default", "me")
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
    mount(spec, "default", "me")
    assert spec == before


def test_nobody_needs_it() -> None:
    spec: Json = {"containers": [{"name": "a", "volumeMounts": [{"mountPath": PATH}]}]}
    mount(spec, "default", "me")
    assert "volumes" not in spec


@pytest.mark.parametrize("letters", ["kube-api-access-", "kube-api-access-mine"])
def test_a_volume_of_the_pods_own_is_taken(letters: str) -> None:
    own = {"name": letters, "projected": {"sources": []}}
    spec: Json = {"containers": [{"name": "a"}], "volumes": [own]}
    mount(spec, "default", "me")
    assert spec["volumes"] == [own]
    assert spec["containers"][0]["volumeMounts"][0]["name"] == letters


def test_pods_of_an_account_have_equal_volumes() -> None:
    assert volume_name("a", "b") == volume_name("a", "b")
    names = {volume_name(*pair) for pair in (("a", "b"), ("b", "a"), ("a", "c"), ("ab", ""))}
    assert len(names) == 4
    assert all(re.fullmatch(f"{NAME}[{LETTERS}]{{5}}", name) for name in names)


@pytest.mark.parametrize("said", [None, True, False])
async def test_a_pod_gets_it_unless_it_says_no(api: Api, said: bool | None) -> None:
    pod = body("Pod")
    pod["spec"]["automountServiceAccountToken"] = said
    attributes = asked(api, "pods", pod)
    ServiceAccounts().complete(attributes)
    found = [one["name"] for one in attributes.new["spec"].get("volumes") or ()]
    assert found == ([] if said is False else [volume_name("default", "default")])
