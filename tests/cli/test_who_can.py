"""`argosy who-can`: who, by which binding, by which role."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from argosy.api.resources.access import CLUSTER_ROLE_BINDING, ROLE, ROLE_BINDING
from argosy.cli.main import app
from argosy.cli.who_can import UnknownResourceError, Wanted, holders_of, table
from argosy.cluster.bootstrap import bootstrap_roles
from argosy.testing.cluster import cluster

Json = dict[str, Any]


def binding(name: str, role: str, *subjects: Json, namespace: str = "") -> Json:
    kind, _, called = role.partition("/")
    return {
        "metadata": {"name": name, **({"namespace": namespace} if namespace else {})},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": called},
        "subjects": list(subjects),
    }


BOB = {"kind": "User", "name": "bob", "apiGroup": "rbac.authorization.k8s.io"}
DEVS = {"kind": "Group", "name": "devs", "apiGroup": "rbac.authorization.k8s.io"}
BOT = {"kind": "ServiceAccount", "name": "bot"}


async def test_holders_are_found_by_plural_short_name_group_and_path() -> None:
    async with cluster() as running:
        client = running.client
        await bootstrap_roles(client, running.plane.gate)
        rule = {
            "verbs": ["get"],
            "apiGroups": ["apps"],
            "resources": ["deployments", "deployments/scale"],
            "resourceNames": ["web"],
        }
        meta = {"name": "one", "namespace": "default"}
        await client.create(ROLE, {"metadata": meta, "rules": [rule]})
        for made in (
            binding("one", "Role/one", BOT, namespace="default"),
            binding("devs", "ClusterRole/view", DEVS, namespace="default"),
        ):
            await client.create(ROLE_BINDING, made)
        everywhere = binding("everywhere", "ClusterRole/view", BOB)
        await client.create(CLUSTER_ROLE_BINDING, everywhere)

        async def who(verb: str, resource: str, **more: Any) -> set[tuple[str, str, str]]:
            wanted = Wanted(verb=verb, resource=resource, **{"namespace": "default", **more})
            found = await holders_of(client, wanted)
            return {(one.kind, one.name, one.binding) for one in found}

        bob = ("User", "bob", "ClusterRoleBinding/everywhere")
        devs = ("Group", "devs", "RoleBinding/default/devs")
        bot = ("ServiceAccount", "bot", "RoleBinding/default/one")
        masters = ("Group", "system:masters", "ClusterRoleBinding/cluster-admin")
        assert {bob, devs, masters} <= await who("list", "po")
        for name in ("deploy", "deployment", "deployments.apps", "Deployment"):
            assert {bob, devs, bot, masters} <= await who("get", name, name="web")
        assert bot not in await who("get", "deployments")
        assert bot in await who("get", "deployments", name="web", subresource="scale")
        elsewhere = await who("list", "pods", namespace="kube-system")
        assert bob in elsewhere
        assert devs not in elsewhere
        assert not {bob, devs, bot} & await who("delete", "nodes")
        assert masters in await who("*", "*")
        path = await holders_of(client, Wanted(verb="get", path="/version"))
        assert "system:unauthenticated" in {one.name for one in path}
        for unknown in ("carrots", "pods.apps", "pods/log"):
            with pytest.raises(UnknownResourceError, match="has no resource"):
                await who("get", unknown)


def test_lines_are_aligned_under_their_heads() -> None:
    assert table([]) == []
    lines = table([("User", "bob", "", "ClusterRoleBinding/b", "ClusterRole/r")])
    assert lines == [
        "KIND   NAME   NAMESPACE   BINDING                ROLE",
        "User   bob    -           ClusterRoleBinding/b   ClusterRole/r",
    ]


def test_an_error_ends_with_a_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = tmp_path / "none"
    done = CliRunner().invoke(app, ["who-can", "get", "pods", "--kubeconfig", str(missing)])
    assert (done.exit_code, done.stdout) == (1, "")
    first, second = done.stderr.splitlines()
    assert first.startswith(f"error: reading {missing}")
    assert second.startswith("hint: ")
    monkeypatch.setenv("KUBECONFIG", str(missing))
    assert str(missing) in CliRunner().invoke(app, ["who-can", "get", "/metrics"]).stderr
    config = tmp_path / "config"
    config.write_text(
        "current-context: a\ncontexts: [{name: a, context: {cluster: a, user: a}}]\n"
        "clusters: [{name: a, cluster: {server: 'http://127.0.0.1:1'}}]\n"
        "users: [{name: a, user: {token: t}}]\n"
    )
    done = CliRunner().invoke(app, ["who-can", "get", "pods", "--kubeconfig", str(config)])
    assert "is the cluster running?" in done.stderr
