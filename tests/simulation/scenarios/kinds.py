"""Kinds that users define, what is stored of them, certificates, and the wardens of groups."""

import base64
from collections.abc import Sequence
from datetime import timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from argosy.api.certificates import CertificateSigningRequest
from argosy.api.core import Pod
from argosy.api.extensions.definition import CustomResourceDefinition
from argosy.api.extensions.migration import StorageVersionMigration
from argosy.api.resource import Resource
from argosy.api.resources.control import FLOW_SCHEMA, PRIORITY_LEVEL
from argosy.api.scheduling import PodGroup
from argosy.controllers.certificates_approval import approval
from argosy.controllers.certificates_cleaning import cleaning
from argosy.controllers.certificates_signing import signing
from argosy.controllers.customresources import custom_resources
from argosy.controllers.flowschemas import flow_schemas
from argosy.controllers.podgroupprotection import pod_group_protection
from argosy.controllers.storagemigration import storage_migrations
from argosy.runtime.manager import Manager
from argosy.testing.clock import EPOCH
from tests.simulation.actors import User
from tests.simulation.engine import Scenario
from tests.simulation.scenarios.bodies import conditions, template
from tests.simulation.world import Invariant, Json, Step, World

DEFINITIONS = CustomResourceDefinition.resource
WIDGETS = Resource(group="example.com", version="v1", kind="Widget", plural="widgets")
NAME = "widgets.example.com"


def _definition(stored: str = "v1") -> Json:
    versions = [
        {
            "name": name,
            "served": True,
            "storage": name == stored,
            "schema": {"openAPIV3Schema": {"type": "object"}},
        }
        for name in ("v1", "v2")
    ]
    spec = {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget"},
        "versions": versions,
    }
    return {"metadata": {"name": NAME}, "spec": spec}


def _established(world: World) -> bool:
    found = world.get(DEFINITIONS, NAME)
    return found is not None and conditions(found).get("Established", "").startswith("True")


async def _widgets(user: User) -> None:
    await user.create(DEFINITIONS, _definition())
    await user.until(lambda: _established(user.world))
    for number in range(3):
        meta = {"name": f"w{number}", "namespace": "default"}
        await user.create(WIDGETS, {"metadata": meta})


def _run_kinds(manager: Manager, served: Sequence[Resource]) -> None:
    manager.add(custom_resources(manager, served))
    if (migrations := storage_migrations(manager, served)) is not None:
        manager.add(migrations)


async def _define(user: User) -> None:
    for _ in range(2):
        await _widgets(user)
        await user.pause()
        await user.delete(DEFINITIONS, NAME)
        await user.until(lambda: not user.world.all(DEFINITIONS))


KINDS = Scenario(
    name="custom-resources",
    controllers=_run_kinds,
    script=_define,
    final=lambda world: {
        "definitions": len(world.all(DEFINITIONS)),
        "widgets": len(world.all(WIDGETS)),
    },
    expected={"definitions": 0, "widgets": 0},
    writes=120,
)


def told_when_done() -> Invariant:
    """No version is said to be stored no more while an object lies in it."""

    def check(world: World, step: Step) -> None:
        if step.key == DEFINITIONS.key("", NAME) and step.after is not None:
            told = step.after["status"].get("storedVersions") or ["v1", "v2"]
            lying = {item["apiVersion"].rpartition("/")[2] for item in world.all(WIDGETS)}
            assert lying <= set(told), f"objects in {lying}, {told} told"

    return check


async def _migrate(user: User) -> None:
    await _widgets(user)
    await user.merge(DEFINITIONS, NAME, {"spec": _definition("v2")["spec"]})
    await user.pause()
    resource = {"group": "example.com", "resource": "widgets"}
    body = {"metadata": {"name": "m"}, "spec": {"resource": resource}}
    await user.create(StorageVersionMigration.resource, body)
    await user.pause()


MIGRATED = Scenario(
    name="storage-migration",
    controllers=_run_kinds,
    script=_migrate,
    final=lambda world: {
        "migrations": [
            conditions(item).get("Succeeded")
            for item in world.all(StorageVersionMigration.resource)
        ],
        "stored": [item["status"].get("storedVersions") for item in world.all(DEFINITIONS)],
        "lying": [item["apiVersion"] for item in world.all(WIDGETS)],
    },
    expected={
        "migrations": ["True StorageVersionMigrationSucceeded"],
        "stored": [["v2"]],
        "lying": ["example.com/v2"] * 3,
    },
    invariants=(told_when_done,),
    writes=120,
)


@cache
def _papers() -> tuple[str, bytes]:
    """A request for a certificate, base64, and a certificate that could be the answer."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "jane")])
    asked = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(EPOCH - timedelta(days=1))
        .not_valid_after(EPOCH + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    text = base64.b64encode(asked.public_bytes(serialization.Encoding.PEM)).decode()
    return text, made.public_bytes(serialization.Encoding.PEM)


def _run_certificates(manager: Manager, served: Sequence[Resource]) -> None:
    manager.add(approval(manager))
    manager.add(signing(manager, lambda asked, usages, seconds: _papers()[1]))
    manager.add(cleaning(manager))


def signed_once() -> Invariant:
    """A certificate that was given stays as it is."""

    def check(world: World, step: Step) -> None:
        if step.concerns(CertificateSigningRequest.resource) and step.before and step.after:
            before = step.before["status"].get("certificate")
            assert before in (None, step.after["status"].get("certificate")), "signed twice"

    return check


async def _certify(user: User) -> None:
    requests = CertificateSigningRequest.resource
    for name, verdict in (("yes", "Approved"), ("no", "Denied")):
        spec = {
            "request": _papers()[0],
            "signerName": "kubernetes.io/kube-apiserver-client",
            "usages": ["client auth", "digital signature"],
        }
        await user.create(requests, {"metadata": {"name": name}, "spec": spec})
        await user.pause()
        told = [{"type": verdict, "status": "True", "reason": "ByHand"}]
        await user.merge(requests, name, {"status": {"conditions": told}}, subresource="approval")


CERTIFICATES = Scenario(
    name="certificates",
    controllers=_run_certificates,
    script=_certify,
    final=lambda world: {
        item["metadata"]["name"]: ["certificate" in item["status"], *conditions(item)]
        for item in world.all(CertificateSigningRequest.resource)
    },
    expected={"no": [False, "Denied"], "yes": [True, "Approved"]},
    invariants=(signed_once,),
    writes=60,
)


def _run_groups(manager: Manager, served: Sequence[Resource]) -> None:
    manager.add(pod_group_protection(manager, PodGroup.resource))
    manager.add(flow_schemas(manager))


async def _group(user: User) -> None:
    for name in ("stays", "goes"):
        body: Json = {
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"schedulingPolicy": {"gang": {"minCount": 1}}},
        }
        await user.create(PodGroup.resource, body)
        pod = template("x", schedulingGroup={"podGroupName": name})
        pod["metadata"] = {"name": f"of-{name}", "namespace": "default"}
        await user.create(Pod.resource, pod)
        await user.pause(5)
    await user.delete(PodGroup.resource, "goes")
    await user.pause()
    await user.delete(Pod.resource, "of-goes")
    for level in ("missing", "there"):
        schema = {
            "metadata": {"name": f"to-{level}"},
            "spec": {"priorityLevelConfiguration": {"name": level}},
        }
        await user.create(FLOW_SCHEMA, schema)
    spec: Json = {"type": "Limited", "limited": {"limitResponse": {"type": "Reject"}}}
    await user.create(PRIORITY_LEVEL, {"metadata": {"name": "there"}, "spec": spec})


def _dangling(world: World) -> Json:
    return {
        item["metadata"]["name"]: conditions(item).get("Dangling")
        for item in world.all(FLOW_SCHEMA)
        if item["metadata"]["name"].startswith("to-")
    }


GROUPS = Scenario(
    name="pod-groups",
    controllers=_run_groups,
    script=_group,
    final=lambda world: {
        "groups": [item["metadata"]["name"] for item in world.all(PodGroup.resource)],
        "schemas": _dangling(world),
    },
    expected={
        "groups": ["stays"],
        "schemas": {"to-missing": "True NotFound", "to-there": "False Found"},
    },
    protected=True,
    nodes=("a",),
    writes=80,
)

OTHERS = (KINDS, MIGRATED, CERTIFICATES, GROUPS)
