"""`argosy explain`: why a pod or workload is pending, and what would help."""

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from argosy.cli.connecting import NO_CLUSTER, Context, Kubeconfig, access, connected, what_helps
from argosy.cli.listing import every, listed
from argosy.cli.terminal import fail, show

if TYPE_CHECKING:
    from datetime import datetime

    from argosy.api.core import Pod
    from argosy.client.client import Client
    from argosy.client.kubeconfig import Access
    from argosy.scheduler.explain.report import Report
    from argosy.scheduler.explain.snapshot import Snapshot
    from argosy.scheduler.explain.workloads import Workload

Json = dict[str, Any]
KINDS = {
    "pod": "Pod",
    "job": "Job",
    "deployment": "Deployment",
    "podgroup": "PodGroup",
    "statefulset": "StatefulSet",
    "replicaset": "ReplicaSet",
    "daemonset": "DaemonSet",
    "trainjob": "TrainJob",
}
SHORT = {"po": "pod", "deploy": "deployment", "sts": "statefulset", "rs": "replicaset"}
SHORT |= {"ds": "daemonset"} | {f"{name}s": name for name in KINDS}


class Output(StrEnum):
    """How an answer is printed."""

    TEXT = "text"
    JSON = "json"


class UnknownTargetError(Exception):
    """There is no such thing to explain."""


def explain(
    target: Annotated[
        str,
        typer.Argument(
            metavar="[KIND/]NAME",
            help="A pod, or a job, deployment, podgroup, …: train-0, pod/train-0, job/train",
            show_default=False,
        ),
    ],
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="Where it is.")] = "default",
    output: Annotated[
        Output, typer.Option("--output", "-o", help="How to print it.")
    ] = Output.TEXT,
    kubeconfig: Kubeconfig = None,
    context: Context = "",
) -> None:
    """Say why a pod or workload is pending, and what would help.

    The reason comes first, then what each of the scheduler's filters removes, the nodes that come
    closest, and fixes. Each fix was tried on a copy of the cluster: with it the pod is placed.
    """
    from argosy.base.errors import StatusError

    found = access(kubeconfig, context)
    try:
        told = asyncio.run(_asked(found, target, namespace))
    except UnknownTargetError as error:
        fail(str(error), "kubectl get pods,jobs,deployments shows what there is; -n names where")
    except StatusError as error:
        usual = "who asks must be allowed to list nodes, and the pods of all namespaces"
        fail(str(error), what_helps(error, usual))
    except (ConnectionError, OSError) as error:
        fail(str(error), what_helps(error, NO_CLUSTER))
    show(told, lines, as_json=output is Output.JSON)


async def _asked(found: "Access", target: str, namespace: str) -> Json:
    from argosy.base.clock import SystemClock

    clock = SystemClock()
    async with connected(found, clock, "argosy-explain") as client:
        return await explained(client, target, namespace, clock.now())


async def explained(client: "Client", target: str, namespace: str, now: "datetime") -> Json:
    """The answer as JSON. Raises UnknownTargetError, StatusError, ConnectionError."""
    from argosy.api.core import Pod
    from argosy.scheduler.explain.report import plain
    from argosy.scheduler.explain.workloads import (
        Workload,
        refused_pods,
        wants_more,
        without_pods,
    )

    kind, body = await _found(client, target, namespace)
    snapshot = await _listed(client)
    if kind == "Pod":
        pod = snapshot.of(Pod).get((namespace, body["metadata"]["name"]))
        if pod is None:
            raise UnknownTargetError(f"{target} was deleted just now")
        return plain(_report(snapshot, pod, now))
    workload = Workload(kind, body)
    pods = await _pods(client, workload, snapshot, namespace)
    pending = [pod for pod in pods if not pod.spec.node_name and not pod.finished]
    about = {"workload": workload.called, "pods": len(pods), "pending": len(pending)}
    standing = None
    if not pods:
        standing = without_pods(workload, await _events(client, workload, namespace))
    elif not pending and wants_more(workload, sum(not pod.finished for pod in pods)):
        standing = refused_pods(workload, await _events(client, workload, namespace))
    if standing is None:
        return {**about, **plain(_report(snapshot, (pending or pods)[0], now))}
    return {**about, "reason": standing.reason, "headline": standing.text}


def _report(snapshot: "Snapshot", pod: "Pod", now: "datetime") -> "Report":
    from argosy.scheduler.explain.report import explain as explain_pod
    from argosy.scheduler.plugins.table import PLUGINS

    return explain_pod(snapshot, pod, PLUGINS, now)


async def _found(client: "Client", target: str, namespace: str) -> tuple[str, Json]:
    """The kind and the object that is meant; a name alone is a pod's before it is a job's."""
    import msgspec

    from argosy.api.kinds import PREFERRED
    from argosy.base.errors import StatusError

    kind, _, name = target.rpartition("/")
    kind = SHORT.get(kind.lower(), kind.lower())
    if (kind and kind not in KINDS) or not name:
        raise UnknownTargetError(f'can\'t explain "{target}": name one of {", ".join(KINDS)}')
    for one in [kind] if kind else KINDS:
        path = PREFERRED[KINDS[one]].path(name, namespace)
        try:
            return KINDS[one], msgspec.json.decode(await client.call("GET", path))
        except StatusError as error:
            if error.code != 404:
                raise
    what = kind or "pod or workload"
    raise UnknownTargetError(f'there is no {what} "{name}" in namespace "{namespace}"')


async def _listed(client: "Client") -> "Snapshot":
    """All that scheduling depends on; what the cluster doesn't serve is left out."""
    from argosy.scheduler.explain.snapshot import KINDS as READ
    from argosy.scheduler.kinds import FOREIGN

    return await listed(client, (*READ, *FOREIGN))


async def _pods(
    client: "Client", workload: "Workload", snapshot: "Snapshot", namespace: str
) -> "list[Pod]":
    from argosy.api.batch import Job
    from argosy.api.core import Pod
    from argosy.api.replicas import ReplicaSet
    from argosy.scheduler.explain.workloads import pods_of

    owners = [*await every(client, ReplicaSet, namespace), *await every(client, Job, namespace)]
    found = pods_of(workload, snapshot.of(Pod).values(), owners)
    return sorted(found, key=lambda pod: pod.metadata.name)


async def _events(client: "Client", workload: "Workload", namespace: str) -> list[Json]:
    """The events of the workload and of what it owns."""
    import msgspec

    from argosy.api.replicas import ReplicaSet

    sets = await every(client, ReplicaSet, namespace)
    own = {
        one.metadata.uid for one in sets if one.controller and one.controller.uid == workload.uid
    }
    listed = msgspec.json.decode(await client.call("GET", f"/api/v1/namespaces/{namespace}/events"))
    items: list[Json] = listed.get("items") or []
    known = {workload.uid, *own}
    return [one for one in items if (one.get("involvedObject") or {}).get("uid") in known]


def lines(told: Json) -> list[str]:
    """The answer as text."""
    found = []
    if told.get("pods"):
        found.append(
            f"{told['workload']}: {told['pending']} of {told['pods']} pods wait for a node"
        )
    if "pod" in told:
        found.append(f"Pod {told['pod']}")
    found += ["", told["headline"]] if found else [told["headline"]]
    if told.get("filters"):
        rows = [("FILTER", "REMOVES", "ALONE", "WHY"), *(_filter(one) for one in told["filters"])]
        found += ["", f"Of {told['nodes']} nodes:", *_table(rows)]
    if told.get("closest"):
        found += ["", "Closest:"]
        found += [f"  {one['node']}: {'; '.join(one['lacks'])}" for one in told["closest"]]
    if told.get("fixes"):
        found += ["", "What helps (each was tried on a copy of the cluster):"]
        for number, fix in enumerate(told["fixes"], 1):
            place = "" if fix["kind"] == "AddNode" else f" (then it goes to {fix['node']})"
            found.append(f"  {number}. {fix['text']}{place}")
            found += [f"     {fix['command']}"] if fix.get("command") else []
    return found


def _filter(one: Json) -> tuple[str, str, str, str]:
    why = ", ".join(f"{number} {text}" for text, number in one["reasons"].items())
    return (one["filter"], str(one["nodes"]), str(one["alone"]), why)


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return [
        "  "
        + "  ".join(
            [*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]
        )
        for row in rows
    ]
