"""What admission policies add to a pod's create: `python -m bench.policies [-o json]`.

Pods are created in this process, over a store in memory, by turns on a server without policies and
on one with three typical ones (with a variable, a parameter and a message expression among them).
Each figure is the best of many turns, in microseconds of processor time a create; no socket, no TLS
and no disk are in them, so that the share is larger than that of a client's create.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from argosy.base.clock import SystemClock
from argosy.cluster.collecting import settle
from argosy.cluster.server import ControlPlane, control_plane, memory_store
from argosy.http.message import Request
from bench.podsecurity import TYPICAL

Json = dict[str, Any]

CREATES = 100
TURNS = 60
TARGET = 15.0
ROOT = "/apis/admissionregistration.k8s.io/v1"
LATEST = "object.spec.containers.all(c, !c.image.endsWith(':latest'))"
POLICIES: Mapping[str, Json] = {
    "no-latest": {
        "validations": [{"expression": LATEST, "message": "images must have a fixed tag"}]
    },
    "owned": {
        "variables": [{"name": "labels", "expression": "object.metadata.?labels.orValue({})"}],
        "validations": [
            {
                "expression": "'team' in variables.labels",
                "messageExpression": "'pod ' + object.metadata.name + ' has no team'",
            },
            {"expression": "!has(object.spec.hostNetwork) || !object.spec.hostNetwork"},
        ],
    },
    "small": {
        "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
        "validations": [
            {
                "expression": "object.spec.containers.all(c, has(c.resources.requests)) && "
                "object.spec.containers.size() <= int(params.data.most)"
            }
        ],
    },
}
RULE: Json = {
    "apiGroups": [""],
    "apiVersions": ["v1"],
    "operations": ["CREATE", "UPDATE"],
    "resources": ["pods"],
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    what: str
    microseconds: float
    percent: float | None


class Server:
    """A server in this process, and how many pods it has."""

    def __init__(self) -> None:
        self.plane: ControlPlane = control_plane(memory_store(), SystemClock())
        self.made = 0

    async def post(self, path: str, obj: Json) -> None:
        """Create an object, which must work."""
        headers = {
            "authorization": f"Bearer {self.plane.token}",
            "content-type": "application/json",
        }
        request = Request("POST", path, "", headers, json.dumps(obj).encode())
        answer = await self.plane.server.handle(request)
        if answer.status != 201:
            raise SystemExit(f"{path}: {answer.status} {answer.body!r}")

    async def prepare(self, policies: Mapping[str, Json]) -> None:
        """What a pod needs, and the policies with their bindings."""
        await self.post("/api/v1/namespaces", {"metadata": {"name": "shop"}})
        account: Json = {"metadata": {"name": "default"}}
        await self.post("/api/v1/namespaces/shop/serviceaccounts", account)
        limits: Json = {"metadata": {"name": "limits"}, "data": {"most": "5"}}
        await self.post("/api/v1/namespaces/shop/configmaps", limits)
        for name, spec in policies.items():
            body = {**spec, "matchConstraints": {"resourceRules": [RULE]}}
            policy = {"metadata": {"name": name}, "spec": body}
            await self.post(f"{ROOT}/validatingadmissionpolicies", policy)
            bound: Json = {"policyName": name, "validationActions": ["Deny"]}
            if "paramKind" in spec:
                bound["paramRef"] = {"name": "limits", "parameterNotFoundAction": "Deny"}
            binding = {"metadata": {"name": name}, "spec": bound}
            await self.post(f"{ROOT}/validatingadmissionpolicybindings", binding)

    async def turn(self) -> float:
        """Microseconds of processor time a create."""
        began = time.process_time()
        for _ in range(CREATES):
            self.made += 1
            meta = {"name": f"web-{self.made}", "labels": {"team": "red", "app": "web"}}
            await self.post("/api/v1/namespaces/shop/pods", {"metadata": meta, "spec": TYPICAL})
        return (time.process_time() - began) / CREATES * 1e6


async def measured() -> list[Row]:
    """The table."""
    without, with_three = Server(), Server()
    await without.prepare({})
    await with_three.prepare(POLICIES)
    await without.turn(), await with_three.turn()
    settle()  # as the server itself does
    turns = [(await without.turn(), await with_three.turn()) for _ in range(TURNS)]
    bare = min(one for one, _ in turns)
    added = min(other for _, other in turns) - bare
    return [
        Row("a pod's create, no policies", bare, None),
        Row("what three policies add", added, added / bare * 100),
    ]


def show(rows: list[Row], form: str) -> None:
    """Print the rows."""
    if form == "json":
        json.dump([asdict(row) for row in rows], sys.stdout, indent=2)
        return
    table = Table("", "µs", "%", "at most")
    for row in rows:
        percent = "" if row.percent is None else f"{row.percent:.1f}"
        most = "" if row.percent is None else f"{TARGET:.0f}"
        table.add_row(row.what, f"{row.microseconds:.1f}", percent, most)
    Console().print(table)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text")
    show(asyncio.run(measured()), parser.parse_args().output)


if __name__ == "__main__":
    main()
