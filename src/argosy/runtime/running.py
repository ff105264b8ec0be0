"""Operators as a process: what the `__main__` of somebody's operator calls.

    python -m database --print | kubectl apply -f -
    python -m database --kubeconfig ~/.kube/config

Of several such processes one works at a time, by a Lease that has the first operator's name.
SIGTERM lets reconciles end that were begun.
"""

import argparse
import asyncio
import os
import signal
import socket
import sys
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from argosy.api.crdgen import custom_resource_definition
from argosy.api.resources.control import LEASE
from argosy.base import log
from argosy.base.clock import Clock, SystemClock
from argosy.base.manifest import dumped
from argosy.client.client import Client
from argosy.client.fence import Fenced
from argosy.client.kubeconfig import Access, KubeconfigError, in_cluster, load
from argosy.client.transport import Transport
from argosy.runtime.election import Election
from argosy.runtime.health import Door, address
from argosy.runtime.manager import GRACE, Manager
from argosy.runtime.operator import Operator

USUAL = "~/.kube/config"
_LEASE = "create get update"
_OWNED = "create delete get list patch watch"


def run(*operators: Operator[Any], arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says (that of the process, without `arguments`); the exit code."""
    options = _parser().parse_args(arguments)
    if options.print:
        found = [custom_resource_definition(operator.kind) for operator in operators]
        return _printed(dumped(*found, role(*operators)))
    log.configure(options.log_level)
    try:
        asyncio.run(_serve(operators, options))
    except KubeconfigError as error:
        return _failed(str(error), "name the cluster's file with --kubeconfig")
    except ExceptionGroup as group:
        if not isinstance(first := group.exceptions[0], OSError):
            raise
        return _failed(first.strerror or str(first), "--listen says where probes are answered")
    return 0


def _printed(text: str) -> int:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        # What is left in the buffer is written once more at the end of the process.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _failed(f"printing: {error.strerror}", "is there room, and somebody who reads it?")
    return 0


def _failed(error: str, hint: str) -> int:
    sys.stderr.write(f"error: {error}\nhint: {hint}\n")
    return 1


def role(*operators: Operator[Any]) -> dict[str, Any]:
    """The ClusterRole with what the operators need, their lease among it; it is bound to nobody."""
    rules = [_rule("", "events", "create get patch"), _rule(LEASE.group, LEASE.plural, _LEASE)]
    for operator in operators:
        kind = operator.kind.resource
        held = " patch" * (operator.finish is not None)
        rules.append(_rule(kind.group, kind.plural, f"get list watch{held}"))
        rules.append(_rule(kind.group, f"{kind.plural}/status", "patch"))
        rules.append(_rule(kind.group, f"{kind.plural}/finalizers", "update"))  # owners that block
        rules += [_rule(own.resource.group, own.resource.plural, _OWNED) for own in operator.owns]
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": _dashed(operators[0].name)},
        "rules": rules,
    }


def _rule(group: str, resource: str, verbs: str) -> dict[str, list[str]]:
    return {"apiGroups": [group], "resources": [resource], "verbs": verbs.split()}


def _dashed(name: str) -> str:
    """The operator's name as objects may be called."""
    return name.replace("/", "-")


def access(path: Path | None, context: str = "") -> Access:
    """The cluster that is meant. Raises KubeconfigError."""
    named = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
    if path is None and not named and (inside := in_cluster()) is not None:
        return inside
    return load(Path(os.path.expanduser(path or named or USUAL)), context)


def managed(way: Transport, clock: Clock, *, lease: str, namespace: str) -> Manager:
    """A manager that works while it holds `lease`; with an empty one, at all times."""
    if not lease:
        return Manager(Client(way), clock, grace=GRACE)
    identity = f"{socket.gethostname()}_{uuid.uuid4()}"
    client = Client(way, lease)
    election = Election(client, clock, name=lease, namespace=namespace, identity=identity)
    return Manager(Client(Fenced(way, election.fence)), clock, election=election, grace=GRACE)


def _parser() -> argparse.ArgumentParser:
    usual = f"the cluster: else $KUBECONFIG, the pod's own, or {USUAL}"
    package = getattr(sys.modules["__main__"], "__package__", "")
    program = f"python -m {package}" if package else None
    parser = argparse.ArgumentParser(program, description="Runs operators until SIGTERM.")
    parser.add_argument("--kubeconfig", type=Path, help=usual)
    parser.add_argument("--context", default="", help="of the file: else its current one")
    parser.add_argument("--namespace", default="", help="of the lease: else the context's")
    parser.add_argument("--no-election", action="store_true", help="work without a lease")
    told = "for /healthz, /readyz, /metrics"
    parser.add_argument("--listen", metavar="HOST:PORT", type=address, help=told)
    parser.add_argument("--log-level", default="info", choices=("debug", "info", "warning"))
    parser.add_argument("--print", action="store_true", help="print kinds and role, and end")
    return parser


async def _serve(operators: Sequence[Operator[Any]], options: argparse.Namespace) -> None:
    from argosy.client.https import transport  # aiohttp takes a while, and printing needs none

    meant, clock = access(options.kubeconfig, options.context), SystemClock()
    way = transport(meant, clock)
    lease = "" if options.no_election else _dashed(operators[0].name)
    namespace = options.namespace or meant.namespace or "default"
    manager = managed(way, clock, lease=lease, namespace=namespace)
    for operator in operators:
        manager.add(operator.controller(manager))
    if options.listen:
        manager.add_runner(Door(manager).at(*options.listen), always=True)
    running = asyncio.ensure_future(manager.run())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    try:
        with suppress(asyncio.CancelledError):
            await running
    finally:
        await way.close()
