"""Which plugins run: those that are named, in the table's order, and told what they are told."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from argosy.apiserver.admission.configuration import AdmissionRules, EventLimit
from argosy.apiserver.admission.rule import Plugin
from argosy.apiserver.admission.switches import ABSENT, OURS, switched
from argosy.apiserver.configfile import ConfigurationError
from argosy.apiserver.guards import Guards
from argosy.base.clock import SystemClock
from argosy.cluster.bootstrap import bootstrap
from argosy.cluster.server import control_plane, memory_store
from argosy.runtime.manager import Manager
from argosy.security.podsecurity.exemptions import Exemptions
from argosy.security.podsecurity.levels import Policy, Standard
from argosy.testing.clock import FakeClock
from argosy.testing.cluster import Cluster
from tests.apiserver.kit import Api, body, path

Json = dict[str, Any]
TABLE = tuple(
    Plugin(name)
    for name in ("Protected", "LimitRanger", "PodSecurity", "EventRateLimit", "RBACEscalation")
)
PRIVILEGED: Json = {
    "spec": {"containers": [{"name": "a", "image": "a", "securityContext": {"privileged": True}}]}
}
ONE = (EventLimit(type="Server", qps=1, burst=1),)


def named(*enabled: str, off: tuple[str, ...] = (), **told: Any) -> AdmissionRules:
    return AdmissionRules(enabled=frozenset(enabled), disabled=frozenset(off), **told)


@pytest.mark.parametrize(
    ("rules", "left"),
    [
        (named(), ["Protected", "LimitRanger", "PodSecurity", "RBACEscalation"]),
        (named(off=("PodSecurity", "AlwaysAdmit")), ["Protected", "LimitRanger", "RBACEscalation"]),
        (
            named("EventRateLimit", "PodSecurity", event_limits=ONE),
            ["Protected", "LimitRanger", "PodSecurity", "EventRateLimit", "RBACEscalation"],
        ),
    ],
)
def test_the_order_is_the_tables(rules: AdmissionRules, left: list[str]) -> None:
    assert [plugin.name for plugin in switched(TABLE, rules, FakeClock())] == left


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (named("Magic"), 'enable-admission-plugins plugin "Magic" is unknown'),
        (named(off=("Magic",)), 'disable-admission-plugins plugin "Magic" is unknown'),
        (named("AlwaysDeny"), 'enable-admission-plugins plugin "AlwaysDeny" is not served'),
        (
            named("PodSecurity", "LimitRanger", off=("LimitRanger", "PodSecurity")),
            "[LimitRanger PodSecurity] in enable-admission-plugins and disable-admission-plugins "
            "overlapped",
        ),
        (named("EventRateLimit"), "limits: Invalid value: null: must not be empty"),
        (named(off=("RBACEscalation",)), "RBACEscalation"),
        (named(off=("Protected",)), "Protected"),
    ],
)
def test_what_can_not_be_switched(rules: AdmissionRules, words: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        switched(TABLE, rules, FakeClock())
    assert words in str(refused.value)


@asynccontextmanager
async def serving(rules: AdmissionRules) -> AsyncGenerator[Api, None]:
    store = memory_store()
    plane = control_plane(store, SystemClock(), guards=Guards(admission=rules))
    client = plane.client("test")
    await bootstrap(client)
    try:
        yield Api(Cluster(plane, client, Manager(client, SystemClock()), []))
    finally:
        await store.close()


async def test_every_name_of_the_table_is_known() -> None:
    """What is in the table is upstream's or ours, and nothing absent is there."""
    async with serving(named()) as api:
        known = {plugin.name for plugin in api.cluster.plane.server._objects.chain.plugins}
        assert known >= OURS
        assert not known & ABSENT
        assert "EventRateLimit" not in known


async def test_defaults_hold_where_labels_are_silent() -> None:
    account = {"metadata": {"name": "default"}}
    policy = Policy(Standard("baseline"))
    exempt = Exemptions(namespaces=frozenset(["free"]))
    async with serving(named(pod_security=policy, exempt=exempt)) as api:
        pod = body("Pod", **PRIVILEGED)
        accounts = "/api/v1/namespaces/{}/serviceaccounts"
        await api.ask("POST", accounts.format("default"), account)
        refused = await api.ask("POST", path("Pod"), pod)
        assert refused.status == 403
        assert 'violates PodSecurity "baseline:latest": privileged' in refused.message
        assert (await api.ask("POST", "/api/v1/namespaces", body("Namespace", "free"))).status < 300
        await api.ask("POST", accounts.format("free"), account)
        made = await api.ask("POST", path("Pod", namespace="free"), pod)
        assert made.status == 201, made.body


async def test_a_plugin_that_is_off_says_nothing() -> None:
    async with serving(named(off=("NamespaceLifecycle", "PodSecurity", "ServiceAccount"))) as api:
        made = await api.ask("POST", path("Pod", namespace="nowhere"), body("Pod", **PRIVILEGED))
        assert made.status == 201, made.body


async def test_events_are_limited() -> None:
    event = body("Event")
    async with serving(named("EventRateLimit", event_limits=ONE)) as api:
        assert (await api.ask("POST", path("Event"), event)).status == 201
        refused = await api.ask("POST", path("Event"), body("Event", "other"))
        assert (refused.status, refused.body["reason"]) == (429, "TooManyRequests")
        words = "Too many requests: limit reached on type Server for key "
        assert refused.message == words
        dry = await api.ask("POST", path("Event"), body("Event", "other"), dryRun="All")
        assert dry.status == 201
