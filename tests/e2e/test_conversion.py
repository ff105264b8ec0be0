"""A stock kubectl and a kind whose versions a webhook converts: get, watch, apply, migrate."""

import asyncio
import json
from pathlib import Path

from tests.api.extensions.kit import Json
from tests.apiserver.extensions.converter import NAME, definition, listening
from tests.e2e.kubectl import Kubectl

V1, V2 = "widgets.v1.example.com", "widgets.v2.example.com"


async def said(kubectl: Kubectl, *arguments: str, stdin: Json | None = None) -> str:
    return await asyncio.to_thread(lambda: kubectl.ok(*arguments, stdin=stdin))


async def test_both_versions_by_kubectl(kubectl: Kubectl, tmp_path: Path) -> None:
    async with listening(tmp_path) as hook:
        kind = {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            **definition(hook),
        }
        await said(kubectl, "apply", "-f", "-", stdin=kind)
        try:
            await said(kubectl, "wait", "--for=condition=Established", f"crd/{NAME}")
            await _used(kubectl)
            await _migrated(kubectl)
        finally:
            await said(kubectl, "delete", "crd", NAME)
        assert hook.asked


async def _used(kubectl: Kubectl) -> None:
    head = {"kind": "Widget", "metadata": {"name": "a"}}
    one = {**head, "apiVersion": "example.com/v1", "spec": {"hostPort": "h:1"}}
    two = {**head, "apiVersion": "example.com/v2", "spec": {"color": "red"}}
    await said(kubectl, "apply", "--server-side", "-f", "-", stdin=one)
    assert await _spec(kubectl, V1) == {"hostPort": "h:1"}
    assert await _spec(kubectl, V2) == {"host": "h", "port": "1"}
    await said(kubectl, "apply", "--server-side", "--field-manager=x", "-f", "-", stdin=two)
    assert await _spec(kubectl, V1) == {"hostPort": "h:1", "color": "red"}
    watched = asyncio.create_task(
        said(kubectl, "wait", V2, "a", "--for=jsonpath={.spec.port}=2", "--timeout=20s")
    )
    patch = json.dumps({"spec": {"hostPort": "h:2"}})
    await said(kubectl, "patch", V1, "a", "--type=merge", "-p", patch)
    assert "condition met" in await watched


async def _spec(kubectl: Kubectl, kind: str) -> object:
    found = json.loads(await said(kubectl, "get", kind, "a", "-o", "json"))
    return found["spec"]


async def _migrated(kubectl: Kubectl) -> None:
    """Store it in v2 from now on, and what there is too."""
    flip = [
        {"op": "replace", "path": f"/spec/versions/{at}/storage", "value": value}
        for at, value in ((0, False), (1, True))
    ]
    await said(kubectl, "patch", "crd", NAME, "--type=json", "-p", json.dumps(flip))
    wanted = {"group": "example.com", "resource": "widgets"}
    migration = {
        "apiVersion": "storagemigration.k8s.io/v1",
        "kind": "StorageVersionMigration",
        "metadata": {"name": "widgets"},
        "spec": {"resource": wanted},
    }
    await said(kubectl, "create", "-f", "-", stdin=migration)
    name = "storageversionmigration/widgets"
    await said(kubectl, "wait", "--for=condition=Succeeded", name, "--timeout=20s")
    await said(kubectl, "wait", "--for=condition=Running=False", name, "--timeout=20s")
    stored = await said(kubectl, "get", "crd", NAME, "-o", "jsonpath={.status.storedVersions}")
    assert json.loads(stored) == ["v2"]
    assert await _spec(kubectl, V1) == {"hostPort": "h:2", "color": "red"}
