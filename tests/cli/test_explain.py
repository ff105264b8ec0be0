"""`argosy explain`: finds what is meant, lists the cluster, and prints what it found."""

from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner

from argosy.api.batch import Job
from argosy.api.core import Node, Pod
from argosy.api.kinds import PREFERRED
from argosy.api.replicas import ReplicaSet
from argosy.cli.explain import UnknownTargetError, explained, lines
from argosy.cli.main import app
from argosy.testing.cluster import Cluster, cluster

Json = dict[str, Any]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def named(name: str) -> Json:
    return {"name": name, "namespace": "default"}


def pod_body(name: str, cpu: str, owner: Json | None = None) -> Json:
    resources = {"requests": {"cpu": cpu}}
    meta = {**named(name), **({"ownerReferences": [owner]} if owner else {})}
    spec = {"containers": [{"name": "c", "image": "i", "resources": resources}]}
    return {"metadata": meta, "spec": spec}


def template(restart: str = "Always") -> Json:
    spec = {"restartPolicy": restart, "containers": [{"name": "c", "image": "i"}]}
    return {"metadata": {"labels": {"app": "x"}}, "spec": spec}


async def with_node(running: Cluster) -> None:
    status = {"allocatable": {"cpu": "2", "memory": "4Gi", "pods": "10"}}
    await running.make(Node, {"metadata": {"name": "n1"}, "status": status})


async def test_a_pod_a_job_and_a_deployment_are_explained() -> None:
    async with cluster() as running:
        client = running.client
        await with_node(running)
        await running.make(Pod, pod_body("big", "8"))
        told = await explained(client, "big", "default", NOW)
        assert told["headline"] == "Too large: the pod asks for 8 cpu, no node has more than 2."
        assert told == await explained(client, "po/big", "default", NOW)

        job = await running.make(
            Job, {"metadata": named("train"), "spec": {"template": template("Never")}}
        )
        owner = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "name": "train",
            "uid": job.metadata.uid,
            "controller": True,
        }
        told = await explained(client, "train", "default", NOW)
        assert told["reason"] == "NoPods"
        await running.make(Pod, pod_body("train-a", "1", owner))
        await running.make(Pod, pod_body("train-b", "9", owner))
        told = await explained(client, "job/train", "default", NOW)
        assert (told["workload"], told["pods"], told["pending"]) == ("Job default/train", 2, 2)

        deployment = {
            "metadata": named("web"),
            "spec": {"selector": {"matchLabels": {"app": "x"}}, "template": template()},
        }
        made = await client.create(PREFERRED["Deployment"], deployment)
        above = {**owner, "apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
        above["uid"] = made["metadata"]["uid"]
        body = {"metadata": {**named("web-1"), "ownerReferences": [above]}}
        body["spec"] = deployment["spec"]
        replicas = await running.make(ReplicaSet, body)
        event = {
            "metadata": named("web.1"),
            "involvedObject": {
                "kind": "ReplicaSet",
                "namespace": "default",
                "name": "web-1",
                "uid": replicas.metadata.uid,
            },
            "reason": "FailedCreate",
            "message": 'Error creating: pods "web-1-x" is forbidden: exceeded quota: compute',
            "type": "Warning",
        }
        await client.create(PREFERRED["Event"], event)
        told = await explained(client, "deployments/web", "default", NOW)
        assert told["reason"] == "QuotaExceeded"
        assert "exceeded quota: compute" in told["headline"]

        await client.merge(PREFERRED["Deployment"], "web", "default", {"spec": {"replicas": 2}})
        above = {**above, "kind": "ReplicaSet", "name": "web-1", "uid": replicas.metadata.uid}
        there = pod_body("web-1-a", "1", above)
        there["spec"]["nodeName"] = "n1"
        await running.make(Pod, there)
        told = await explained(client, "deployments/web", "default", NOW)
        assert (told["pods"], told["pending"], told["reason"]) == (1, 0, "QuotaExceeded")
        await client.merge(PREFERRED["Deployment"], "web", "default", {"spec": {"replicas": 1}})
        told = await explained(client, "deployments/web", "default", NOW)
        assert told["reason"] == "Scheduled"


async def test_what_is_not_there_is_named() -> None:
    async with cluster() as running:
        for target in ("nobody", "pod/nobody", "carrot/nobody", "pod/"):
            with pytest.raises(UnknownTargetError):
                await explained(running.client, target, "default", NOW)


def test_text_has_the_reason_first_and_then_what_helps() -> None:
    told = {
        "workload": "Job default/train",
        "pods": 3,
        "pending": 1,
        "pod": "default/train-0",
        "reason": "NodeResourcesFit",
        "headline": "Not enough cpu: the pod asks for 3.",
        "nodes": 2,
        "filters": [
            {"filter": "NodeResourcesFit", "nodes": 2, "alone": 2, "reasons": {"Short": 2}}
        ],
        "closest": [{"node": "n1", "lacks": ["2 of 4 cpu free", "is cordoned"]}],
        "fixes": [
            {
                "kind": "Uncordon",
                "text": "uncordon node n1",
                "node": "n1",
                "command": "kubectl uncordon n1",
            },
            {"kind": "AskLess", "text": "ask for less", "node": "n2"},
            {"kind": "AddNode", "text": "add one more node like n2", "node": "n2-more-0"},
        ],
    }
    assert lines(told) == [
        "Job default/train: 1 of 3 pods wait for a node",
        "Pod default/train-0",
        "",
        "Not enough cpu: the pod asks for 3.",
        "",
        "Of 2 nodes:",
        "  FILTER            REMOVES  ALONE  WHY",
        "  NodeResourcesFit  2        2      2 Short",
        "",
        "Closest:",
        "  n1: 2 of 4 cpu free; is cordoned",
        "",
        "What helps (each was tried on a copy of the cluster):",
        "  1. uncordon node n1 (then it goes to n1)",
        "     kubectl uncordon n1",
        "  2. ask for less (then it goes to n2)",
        "  3. add one more node like n2",
    ]


def test_without_a_cluster_the_command_ends_with_a_hint(tmp_path: Any) -> None:
    done = CliRunner().invoke(app, ["explain", "x", "--kubeconfig", str(tmp_path / "none")])
    assert done.exit_code == 1
    assert "hint: " in done.stderr
