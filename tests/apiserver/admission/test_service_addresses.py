"""Services get addresses and ports: the ones that they ask for, and none that another one has."""

import asyncio
from ipaddress import IPv4Network, ip_address
from typing import Any

import pytest

from argosy.apiserver.admission import service_addresses
from argosy.apiserver.admission.rule import Attributes
from argosy.apiserver.admission.service_addresses import BLOCK, PORTS, ServiceAddresses
from argosy.base.errors import StatusError
from argosy.store.memory import MemoryStore
from tests.apiserver.admission import kit
from tests.apiserver.kit import MERGE, Answer, Api, Json, path


def service(name: str, **spec: Any) -> Json:
    return {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}], **spec}}


async def made(api: Api, name: str, **spec: Any) -> Json:
    answer = await api.create("Service", service(name, **spec))
    found: Json = answer.body["spec"]
    return found


async def patched(api: Api, name: str, spec: Json) -> Answer:
    return await api.ask("PATCH", path("Service", name), {"spec": spec}, kind=MERGE)


async def test_a_service_gets_an_address(api: Api) -> None:
    spec = await made(api, "web")

    assert spec["clusterIPs"] == [spec["clusterIP"]]
    assert ip_address(spec["clusterIP"]) in BLOCK
    assert (spec["ipFamilies"], spec["ipFamilyPolicy"]) == (["IPv4"], "SingleStack")


async def test_an_address_that_is_asked_for_is_given_once(api: Api) -> None:
    assert (await made(api, "a", clusterIP="10.96.0.10"))["clusterIPs"] == ["10.96.0.10"]
    answer = await api.ask("POST", path("Service"), service("b", clusterIP="10.96.0.10"))

    assert answer.status == 422
    assert answer.message == (
        'Service "b" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.10"]: failed to '
        "allocate IP 10.96.0.10: provided IP is already allocated"
    )


@pytest.mark.parametrize("address", ["10.96.0.0", "10.96.255.255", "10.97.0.1", "192.0.2.1"])
async def test_addresses_of_others_are_refused(api: Api, address: str) -> None:
    answer = await api.ask("POST", path("Service"), service("a", clusterIP=address))

    assert answer.status == 422
    assert "is not in the valid range. The range of valid IPs is 10.96.0.0/16" in answer.message


async def test_what_a_deleted_service_had_can_be_had_again(api: Api) -> None:
    await made(api, "a", clusterIP="10.96.0.10")
    await api.ask("DELETE", path("Service", "a"))

    assert (await made(api, "b", clusterIP="10.96.0.10"))["clusterIP"] == "10.96.0.10"


async def test_services_that_are_made_at_once_share_nothing(api: Api) -> None:
    found = await asyncio.gather(
        *(made(api, f"s{i}", type="NodePort") for i in range(40)),
    )

    assert len({spec["clusterIP"] for spec in found}) == 40
    assert len({spec["ports"][0]["nodePort"] for spec in found}) == 40
    assert all(spec["ports"][0]["nodePort"] in PORTS for spec in found)


async def test_of_two_that_ask_for_the_same_at_once_one_is_refused(api: Api) -> None:
    answers = await asyncio.gather(
        *(
            api.ask("POST", path("Service"), service(name, clusterIP="10.96.7.7"))
            for name in ("a", "b")
        )
    )

    assert sorted(answer.status for answer in answers) == [201, 422]


async def test_a_refused_service_holds_nothing(api: Api) -> None:
    wrong = service("a", clusterIP="10.96.0.10", sessionAffinity="Cookie")
    assert (await api.ask("POST", path("Service"), wrong)).status == 422
    tried = service("a", clusterIP="10.96.0.10")
    assert (await api.ask("POST", path("Service"), tried, dryRun="All")).status == 201

    assert (await made(api, "b", clusterIP="10.96.0.10"))["clusterIP"] == "10.96.0.10"


@pytest.mark.parametrize(
    "spec", [{"clusterIP": "None"}, {"type": "ExternalName", "externalName": "a"}]
)
async def test_some_services_need_no_address(api: Api, spec: Json) -> None:
    found = await made(api, "a", **spec)

    assert found.get("clusterIP") == spec.get("clusterIP")


async def test_a_service_of_foreign_endpoints_is_of_both_families(api: Api) -> None:
    free = await made(api, "a", clusterIP="None")
    assert (free["ipFamilies"], free["ipFamilyPolicy"]) == (["IPv4", "IPv6"], "RequireDualStack")
    own = (await patched(api, "a", {"selector": {"a": "b"}})).body["spec"]
    assert (own["ipFamilies"], own["ipFamilyPolicy"]) == (["IPv4"], "SingleStack")


@pytest.mark.parametrize(
    "spec, expected",
    [
        (
            {"ipFamilies": ["IPv6"]},
            'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
        ),
        (
            {"ipFamilyPolicy": "RequireDualStack"},
            'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not '
            "configured for dual-stack services",
        ),
        (
            {"ipFamilies": ["IPv4", "IPv6"], "ipFamilyPolicy": "SingleStack"},
            "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or "
            "'PreferDualStack' when multiple IP families are specified",
        ),
    ],
)
async def test_this_cluster_has_one_family(api: Api, spec: Json, expected: str) -> None:
    answer = await api.ask("POST", path("Service"), service("a", **spec))

    assert answer.status == 422 and expected in answer.message


async def test_two_families_are_no_more_than_preferred(api: Api) -> None:
    spec = await made(api, "a", ipFamilyPolicy="PreferDualStack")

    assert (spec["ipFamilies"], len(spec["clusterIPs"])) == (["IPv4"], 1)


async def test_ports_of_nodes_are_honoured_and_given_once(api: Api) -> None:
    ports = [{"port": 80, "nodePort": 30080}]
    assert (await made(api, "a", type="NodePort", ports=ports))["ports"][0]["nodePort"] == 30080
    answer = await api.ask("POST", path("Service"), service("b", type="NodePort", ports=ports))
    assert (
        "spec.ports[0].nodePort: Invalid value: 30080: provided port is already" in answer.message
    )
    ports = [{"port": 80, "nodePort": 80}]
    answer = await api.ask("POST", path("Service"), service("b", type="NodePort", ports=ports))
    assert answer.message.endswith(
        "provided port is not in the valid range. The range of valid ports is 30000-32767"
    )


async def test_one_port_in_two_protocols_is_one_port_of_the_nodes(api: Api) -> None:
    ports = [{"port": 53, "name": "a"}, {"port": 53, "name": "b", "protocol": "UDP"}]
    found = (await made(api, "dns", type="NodePort", ports=ports))["ports"]

    assert found[0]["nodePort"] == found[1]["nodePort"]


async def test_a_balancer_gets_what_it_needs(api: Api) -> None:
    local = await made(api, "a", type="LoadBalancer", externalTrafficPolicy="Local")
    assert local["healthCheckNodePort"] in PORTS
    assert local["healthCheckNodePort"] != local["ports"][0]["nodePort"]
    bare = await made(api, "b", type="LoadBalancer", allocateLoadBalancerNodePorts=False)
    assert "nodePort" not in bare["ports"][0]


async def test_an_update_keeps_what_was_given(api: Api) -> None:
    before = await made(api, "a", type="NodePort")
    sent = service("a", type="NodePort", selector={"a": "b"})
    after = (await api.ask("PUT", path("Service", "a"), sent)).body["spec"]

    assert after == {**before, "selector": {"a": "b"}}


async def test_a_type_takes_its_ports_with_it(api: Api) -> None:
    before = await made(api, "a", type="LoadBalancer")
    plain = (await patched(api, "a", {"type": "ClusterIP"})).body["spec"]
    assert "nodePort" not in plain["ports"][0]
    assert not {"externalTrafficPolicy", "allocateLoadBalancerNodePorts"} & plain.keys()
    assert plain["clusterIP"] == before["clusterIP"]
    named = await patched(api, "a", {"type": "ExternalName", "externalName": "a.b"})
    assert named.status == 200
    assert not {"clusterIP", "clusterIPs", "ipFamilies"} & named.body["spec"].keys()
    again = await patched(api, "a", {"type": "ClusterIP", "externalName": None})
    assert ip_address(again.body["spec"]["clusterIP"]) in BLOCK


async def test_an_address_stays(api: Api) -> None:
    await made(api, "a", clusterIP="10.96.0.10")
    answer = await patched(api, "a", {"clusterIP": "10.96.0.11"})

    assert answer.status == 422
    assert "spec.clusterIPs[0]: Invalid value: " in answer.message
    assert "may not change once set" in answer.message


async def test_addresses_rest_before_they_are_given_again(api: Api) -> None:
    first = await made(api, "a")
    await api.ask("DELETE", path("Service", "a"))

    assert (await made(api, "b"))["clusterIP"] != first["clusterIP"]


def asked(api: Api, uid: str, **spec: Any) -> Attributes:
    """The rule's view of a new service that is not stored yet."""
    new = {
        "metadata": {"name": uid, "uid": uid},
        "spec": {"type": "NodePort", "ports": [{"port": 80}], **spec},
    }
    return kit.asked(api, "services", new)


async def test_what_is_on_its_way_is_taken_until_the_call_is_over(api: Api) -> None:
    rule = ServiceAddresses(MemoryStore())
    first = asked(api, "a", clusterIP="10.96.0.10", ports=[{"port": 80, "nodePort": 30080}])
    rule(first)
    for spec in ({"clusterIP": "10.96.0.10"}, {"ports": [{"port": 80, "nodePort": 30080}]}):
        with pytest.raises(StatusError, match="already allocated"):
            rule(asked(api, "b", **spec))
    for function in first.afterwards:
        function()
    rule(asked(api, "b", clusterIP="10.96.0.10", ports=[{"port": 80, "nodePort": 30080}]))


async def test_all_addresses_can_be_given_and_no_more(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_addresses, "BLOCK", IPv4Network("10.96.0.0/29"))
    monkeypatch.setattr(service_addresses, "NAMED_ADDRESSES", 2)
    rule = ServiceAddresses(MemoryStore())
    given = []
    for i in range(6):
        attributes = asked(api, f"s{i}", type="ClusterIP")
        rule(attributes)
        given.append(attributes.new["spec"]["clusterIP"])
    assert given == [f"10.96.0.{i}" for i in (2, 3, 4, 5, 6, 1)]
    with pytest.raises(StatusError, match="range is full"):
        rule(asked(api, "more", type="ClusterIP"))
