"""Attempts to get past admission: each with the refusal that it must get.

They are made by somebody whom authorization would let: it is admission alone that says no.
"""

import base64
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.apiserver.kit import MERGE, Api, serving

Json = dict[str, Any]
CORE = "/api/v1/namespaces/default"
PODS, QUOTAS, RANGES = f"{CORE}/pods", f"{CORE}/resourcequotas", f"{CORE}/limitranges"
REQUESTS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
PRIORITIES = "/apis/scheduling.k8s.io/v1/priorityclasses"


def pod(name: str = "evil", meta: Json | None = None, **spec: Any) -> Json:
    containers = [{"name": "main", "image": "x"}]
    return {
        "metadata": {"name": name, **(meta or {})},
        "spec": {"containers": containers, **spec},
    }


def asking(**resources: Json) -> Json:
    return {"containers": [{"name": "main", "image": "x", "resources": resources}]}


def named(name: str, **more: Any) -> Json:
    return {"metadata": {"name": name}, **more}


def certificate(*names: tuple[x509.ObjectIdentifier, str]) -> str:
    subject = x509.Name([x509.NameAttribute(oid, value) for oid, value in names])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    request = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return base64.b64encode(request.public_bytes(serialization.Encoding.PEM)).decode()


def request(signer: str, *names: tuple[x509.ObjectIdentifier, str]) -> Json:
    spec = {"signerName": f"kubernetes.io/{signer}", "usages": ["client auth"]}
    return named("evil", spec={**spec, "request": certificate(*names)})


@dataclass(frozen=True, kw_only=True)
class Attack:
    """What is tried, after what."""

    name: str
    path: str = PODS
    body: Json = field(default_factory=dict)
    method: str = "POST"
    kind: str = "application/json"
    before: tuple[tuple[str, Json], ...] = ()
    status: int = 403
    refusal: str


QUOTA = (QUOTAS, named("q", spec={"hard": {"pods": "1", "count/services": "0"}}))
RANGE = (RANGES, named("r", spec={"limits": [{"type": "Container", "max": {"cpu": "1"}}]}))
ATTACKS = (
    Attack(
        name="take the priority of the cluster's own",
        body=pod(priority=2_000_001_000),
        refusal="the integer value of priority (2000001000) must not be provided",
    ),
    Attack(
        name="raise the priority of a pod that is there",
        before=((PODS, pod()),),
        path=f"{PODS}/evil",
        method="PATCH",
        kind=MERGE,
        body={"spec": {"priority": 1_000_000}},
        status=422,
        refusal="pod updates may not change fields other than",
    ),
    Attack(
        name="become everybody's default",
        path=PRIORITIES,
        before=((PRIORITIES, named("usual", value=1, globalDefault=True)),),
        body=named("evil", value=1_000_000, globalDefault=True),
        refusal="PriorityClass usual is already marked as default",
    ),
    Attack(
        name="a class that looks like the system's",
        path=PRIORITIES,
        body=named("system-evil", value=1),
        status=422,
        refusal="reserved for system use only",
    ),
    Attack(
        name="take away what the cluster's own are served by",
        path=f"{PRIORITIES}/system-node-critical",
        method="DELETE",
        refusal="this is a system priority class and cannot be deleted",
    ),
    Attack(
        name="delete the namespace that must stay",
        path="/api/v1/namespaces/kube-system",
        method="DELETE",
        refusal="this namespace may not be deleted",
    ),
    Attack(
        name="be an account that is not there yet",
        body=pod(serviceAccountName="soon"),
        refusal='serviceaccount "soon" not found',
    ),
    Attack(
        name="be an account of another namespace",
        body=pod(serviceAccountName="../kube-system/default"),
        refusal="not found",
    ),
    Attack(
        name="a mirror pod with an account",
        body=pod(
            meta={"annotations": {"kubernetes.io/config.mirror": "x"}},
            nodeName="n1",
            serviceAccountName="default",
        ),
        refusal="a mirror pod may not reference service accounts",
    ),
    Attack(
        name="one pod more than the quota has",
        before=(QUOTA, (PODS, pod("first"))),
        body=pod(),
        refusal="exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1",
    ),
    Attack(
        name="one service more, by apply",
        before=(QUOTA,),
        path=f"{CORE}/services/evil?fieldManager=me",
        method="PATCH",
        kind="application/apply-patch+yaml",
        body={
            "apiVersion": "v1",
            "kind": "Service",
            **named("evil"),
            "spec": {"ports": [{"port": 80}]},
        },
        refusal="exceeded quota: q",
    ),
    Attack(
        name="say nothing to be counted for nothing",
        before=((QUOTAS, named("q", spec={"hard": {"requests.memory": "1Gi"}})),),
        body=pod(),
        refusal="must specify requests.memory for: main",
    ),
    Attack(
        name="count nothing by a negative request",
        before=((QUOTAS, named("q", spec={"hard": {"requests.cpu": "1"}})),),
        body=pod(**asking(requests={"cpu": "-5"})),
        status=422,
        refusal="must be greater than or equal to 0",
    ),
    Attack(
        name="more in an init container than is let",
        before=(RANGE,),
        body=pod(
            **asking(limits={"cpu": "1"}),
            initContainers=[
                {"name": "i", "image": "x", "resources": {"limits": {"cpu": "64"}}},
            ],
        ),
        refusal="maximum cpu usage per Container is 1, but limit is 64",
    ),
    Attack(
        name="no limit where one must be",
        before=((RANGES, named("r", spec={"limits": [{"type": "Pod", "max": {"cpu": "1"}}]})),),
        body=pod(),
        refusal="maximum cpu usage per Pod is 1.  No limit is specified",
    ),
    Attack(
        name="a runtime that nobody has",
        body=pod(runtimeClassName="root"),
        refusal='RuntimeClass "root" not found',
    ),
    Attack(
        name="less overhead than the runtime has",
        body=pod(overhead={"cpu": "0"}),
        refusal="Pod Overhead set without corresponding RuntimeClass",
    ),
    Attack(
        name="a client certificate for a master",
        path=REQUESTS,
        body=request(
            "kube-apiserver-client",
            (NameOID.COMMON_NAME, "eve"),
            (NameOID.ORGANIZATION_NAME, "system:masters"),
        ),
        refusal="signer with system:masters group is not allowed",
    ),
    Attack(
        name="a master hidden behind another group",
        path=REQUESTS,
        body=request(
            "kube-apiserver-client",
            (NameOID.ORGANIZATION_NAME, "harmless"),
            (NameOID.ORGANIZATION_NAME, "system:masters"),
        ),
        refusal="signer with system:masters group is not allowed",
    ),
    Attack(
        name="into a namespace that is not there",
        path="/api/v1/namespaces/nowhere/pods",
        body=pod(),
        status=404,
        refusal='namespaces "nowhere" not found',
    ),
)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
async def test_it_is_refused(attack: Attack) -> None:
    async with serving() as api:
        for path, body in attack.before:
            made = await api.ask("POST", path, body)
            assert made.status == 201, made.body
        path, _, query = attack.path.partition("?")
        parameters: dict[str, Any] = dict(part.split("=") for part in query.split("&") if part)
        answer = await api.ask(attack.method, path, attack.body, kind=attack.kind, **parameters)

        assert (answer.status, attack.refusal in answer.message) == (
            attack.status,
            True,
        ), answer.body


async def test_a_dry_run_is_judged_and_takes_nothing(api: Api) -> None:
    await api.ask("POST", *QUOTA)
    for _ in range(3):
        assert (await api.ask("POST", PODS, pod(), dryRun="All")).status == 201
    assert (await api.ask("POST", PODS, pod())).status == 201
    assert (await api.ask("POST", PODS, pod("more"), dryRun="All")).status == 403


async def test_a_quota_in_ones_own_words_changes_nothing(api: Api) -> None:
    """Whoever writes the status of a quota writes what is shown, not what holds."""
    await api.ask("POST", *QUOTA)
    await api.ask("POST", PODS, pod("first"))
    status = {"status": {"hard": {"pods": "99"}, "used": {"pods": "0"}}}
    assert (await api.ask("PATCH", f"{QUOTAS}/q/status", status, kind=MERGE)).status == 200
    assert (await api.ask("POST", PODS, pod())).status == 403


@pytest_asyncio.fixture
async def api() -> AsyncGenerator[Api, None]:
    async with serving() as running:
        yield running
