"""Other people's kinds: do the definitions and samples of ten projects work as upstream's would?

    python -m bench.projects FOLDER [-v] [--only NAME] [--against KUBECONFIG]

In FOLDER lie the projects' repositories (see published.py). Each project gets a fresh API server in
this process: all its definitions are created, and then each of its samples is, strictly, as kubectl
does, in dry run (so that samples of one name don't meet) and all in one namespace.

With `--against`, another API server, for instance kube-apiserver, is asked the very same, and the
table says where the two disagree, in the verdict or in the words. Without, what is published as
invalid must be refused. `-v` prints why what was refused, and every disagreement.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console
from rich.table import Table

from argosy.api.extensions.definition import CustomResourceDefinition
from argosy.api.features import switches
from argosy.api.kinds import OWN, RESOURCES
from argosy.base.clock import SystemClock
from argosy.client.https import transport
from argosy.client.kubeconfig import load
from argosy.cluster.bootstrap import bootstrap
from argosy.cluster.server import MINOR, control_plane, memory_store
from argosy.http.message import Request, Response
from bench.published import PROJECTS, Found, Json, Project, definitions, files, repository, samples

DEFINITIONS = CustomResourceDefinition.resource.path()
CONDITIONS = {"Established": "True", "NamesAccepted": "True", "NonStructuralSchema": "False"}
PATIENCE, PAUSE = 100, 0.1
"""So many looks, with such pauses between (seconds), at another server that is not there yet."""


class Server(Protocol):
    """Who is asked."""

    async def __call__(self, request: Request) -> Response: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """A status code, and what was said."""

    status: int
    body: Json

    @property
    def accepted(self) -> bool:
        """Whether it is fine."""
        return self.status < 400

    @property
    def message(self) -> str:
        """Why not; nothing where it was accepted."""
        return "" if self.accepted else str(self.body.get("message", ""))

    @property
    def words(self) -> list[str]:
        """The causes, sorted: upstream's order changes from one time to another."""
        causes = (self.body.get("details") or {}).get("causes") or ()
        told = [f"{one.get('field')}: {one.get('reason')}: {one.get('message')}" for one in causes]
        return sorted(told) if self.message else []


@dataclass(slots=True)
class Outcome:
    """What one server made of one project."""

    defined: list[tuple[str, Answer]] = field(default_factory=list)
    judged: list[Answer] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Client:
    """Asks one server in JSON."""

    server: Server

    async def ask(
        self, method: str, path: str, body: Json | None = None, query: str = ""
    ) -> Answer:
        """The answer."""
        headers = {"content-type": "application/json", "accept": "application/json"}
        data = b"" if body is None else json.dumps(body).encode()
        answer = await self.server(Request(method, path, query, headers, data))
        told = answer.body
        if not isinstance(told, bytes):
            told = b"".join([piece async for piece in told])
        try:
            return Answer(answer.status, json.loads(told))
        except ValueError:
            return Answer(answer.status, {"message": told.decode(errors="replace")})

    async def define(self, body: Json) -> Answer:
        """Creates a definition and waits until its kind is served."""
        made = await self.ask("POST", DEFINITIONS, body, "fieldValidation=Strict")
        path = f"{DEFINITIONS}/{body['metadata']['name']}"
        for _ in range(PATIENCE if made.status == 201 else 0):
            made = await self.ask("GET", path)
            served = [await self.ask("GET", where) for where in listings(body)]
            if settled(made.body) and all(answer.status == 200 for answer in served):
                break
            await asyncio.sleep(PAUSE)
        return made

    async def judge(self, path: str, body: Json) -> Answer:
        """Creates an object as kubectl does, but for good."""
        return await self.ask("POST", path, body, "fieldValidation=Strict&dryRun=All")

    async def forget(self, names: list[str]) -> None:
        """Deletes definitions, and waits until they are gone."""
        for name in names:
            await self.ask("DELETE", f"{DEFINITIONS}/{name}")
        for name in names:
            for _ in range(PATIENCE):
                if (await self.ask("GET", f"{DEFINITIONS}/{name}")).status == 404:
                    break
                await asyncio.sleep(PAUSE)


def alike(one: Answer, other: Answer) -> bool:
    """Whether two answers say the same."""
    if one.words or other.words:
        return one.words == other.words
    return (one.status, one.message) == (other.status, other.message)


def settled(definition: Json) -> bool:
    """Whether a definition has the conditions of one that is served."""
    told = {one["type"]: one["status"] for one in definition["status"].get("conditions") or ()}
    good = all(told.get(name, asked) == asked for name, asked in CONDITIONS.items())
    return good and "Established" in told


def listings(definition: Json) -> Iterator[str]:
    """Where the objects of its versions are listed."""
    spec = definition["spec"]
    for version in spec["versions"]:
        if version["served"]:
            yield f"/apis/{spec['group']}/{version['name']}/{spec['names']['plural']}"


def kinds(bodies: list[Json]) -> dict[tuple[str, str], str]:
    """Where objects of each apiVersion and kind are created, `default` being the namespace."""
    found = {}
    for body in bodies:
        spec = body["spec"]
        inside = "namespaces/default/" if spec["scope"] == "Namespaced" else ""
        for version in spec["versions"]:
            if version["served"]:
                api = f"{spec['group']}/{version['name']}"
                path = f"/apis/{api}/{inside}{spec['names']['plural']}"
                found[api, spec["names"]["kind"]] = path
    return found


def rules(value: Any) -> int:
    """How many expressions a definition has."""
    if isinstance(value, list):
        return sum(rules(item) for item in value)
    if not isinstance(value, dict):
        return 0
    own = value.get("x-kubernetes-validations")
    here = sum("rule" in one for one in own) if isinstance(own, list) else 0
    return here + sum(rules(item) for item in value.values())


def placed(found: Found, path: str) -> Json:
    """The sample, in the namespace in which all are, and as if it had not been stored before."""
    meta = found.body.get("metadata")
    if not isinstance(meta, dict):
        return found.body
    placed = {name: value for name, value in meta.items() if name != "resourceVersion"}
    if "/namespaces/" in path:
        placed["namespace"] = "default"
    return {**found.body, "metadata": placed}


async def outcome(client: Client, bodies: list[Json], published: list[Found]) -> Outcome:
    """What a server makes of definitions and samples."""
    made = Outcome()
    where = kinds(bodies)
    for body in bodies:
        made.defined.append((body["metadata"]["name"], await client.define(body)))
    for found in published:
        path = where[found.kind]
        made.judged.append(await client.judge(path, placed(found, path)))
    return made


async def argosy(bodies: list[Json]) -> Client:
    """A fresh server in this process, whose own kinds give way to a project's of the same names:
    `argosy up --runtime-config trainer.kubeflow.org/v1alpha1=false` for whoever runs the project.
    """
    groups = {body["spec"]["group"] for body in bodies}
    off = {f"{one.resource.api_version}=false" for one in OWN if one.resource.group in groups}
    chosen = switches(RESOURCES, MINOR, runtime_config=",".join(sorted(off)))
    plane = control_plane(memory_store(), SystemClock(), chosen=chosen)
    known = {"authorization": f"Bearer {plane.token}"}

    async def send(request: Request) -> Response:
        request.headers = {**request.headers, **known}
        return await plane.server.handle(request)

    await bootstrap(plane.client("bench"), plane.resources)
    return Client(send)


@dataclass(frozen=True, slots=True)
class Report:
    """A project's line, and what is to be said below it."""

    project: Project
    bodies: list[Json]
    published: list[Found]
    ours: Outcome
    theirs: Outcome | None

    def cells(self) -> list[str]:
        """The line."""
        established = [answer.status == 200 and settled(answer.body) for _, answer in self.defined]
        told = [rules(body) for body in self.bodies]
        compiled = sum(many for many, good in zip(told, established, strict=True) if good)
        bad = self.invalid()
        accepted = [answer.accepted for answer in self.ours.judged]
        cells = [
            self.project.name,
            f"{sum(established)}/{len(established)}",
            f"{compiled}/{sum(told)}",
            f"{sum(accepted)}/{len(accepted) - len(bad)}",
            f"{sum(not accepted[at] for at in bad)}/{len(bad)}",
        ]
        if self.theirs is None:
            return cells
        verdicts = sum(ours.accepted == theirs.accepted for _, ours, theirs in self.pairs())
        refused = [(a, b) for _, a, b in self.pairs() if b.message]
        same = sum(alike(ours, theirs) for ours, theirs in refused)
        return [*cells, f"{verdicts}/{len(self.pairs())}", f"{same}/{len(refused)}"]

    @property
    def defined(self) -> list[tuple[str, Answer]]:
        """Our answers to the definitions."""
        return self.ours.defined

    def invalid(self) -> list[int]:
        """Which samples are published as wrong."""
        bad = self.project.invalid
        return [at for at, one in enumerate(self.published) if bad and one.path.startswith(bad)]

    def pairs(self) -> list[tuple[str, Answer, Answer]]:
        """Where each sample was, our answer, and the other server's."""
        assert self.theirs is not None
        names = [f"{one.path} {one.kind[1]}" for one in self.published]
        return list(zip(names, self.ours.judged, self.theirs.judged, strict=True))

    def notes(self) -> Iterator[str]:
        """What `-v` says."""
        for name, answer in self.defined:
            if answer.status != 200 or not settled(answer.body):
                yield f"not established: {name}: {answer.message or answer.body.get('status')}"
        if self.theirs is None:
            for one, answer in zip(self.published, self.ours.judged, strict=True):
                if answer.message:
                    yield f"refused: {one.path}: {answer.message}"
            return
        for (name, ours), (_, theirs) in zip(self.defined, self.theirs.defined, strict=True):
            if ours.status != theirs.status:
                yield f"definition {name}: {ours.message!r} there: {theirs.message!r}"
        for name, ours, theirs in self.pairs():
            if not alike(ours, theirs):
                which = "words" if ours.accepted == theirs.accepted else "VERDICT"
                yield f"{which} {name}: {ours.status} {ours.message}"
                yield f"    there: {theirs.status} {theirs.message}"


async def report(folder: Path, project: Project, other: Client | None) -> Report | None:
    """What becomes of a project; None where its repository is not there."""
    where = repository(folder, project.repository)
    if where is None:
        return None
    read = files(where)
    bodies = list(definitions(read, project))
    published = samples(read, project, set(kinds(bodies)))
    ours = await outcome(await argosy(bodies), bodies, published)
    theirs = None
    if other is not None:
        theirs = await outcome(other, bodies, published)
        await other.forget([body["metadata"]["name"] for body in bodies])
    return Report(project, bodies, published, ours, theirs)


async def run(arguments: argparse.Namespace) -> int:
    """Prints the table."""
    columns = ["project", "established", "expressions", "accepted", "refused as published"]
    connected = transport(load(arguments.against)) if arguments.against else None
    other = Client(connected.send) if connected else None
    table = Table(*columns, *(["same verdict", "same words"] if other else []))
    notes: list[str] = []
    for project in PROJECTS:
        if arguments.only and arguments.only != project.name:
            continue
        made = await report(arguments.folder, project, other)
        if made is None:
            table.add_row(project.name, "no repository")
            continue
        table.add_row(*made.cells())
        notes += [f"{project.name}: {note}" for note in made.notes()]
    if connected:
        await connected.close()
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    if arguments.verbose:
        sys.stdout.write("".join(f"{note}\n" for note in notes))
    return 0


def main() -> int:
    """Reads the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("--only", metavar="NAME")
    parser.add_argument("--against", type=Path, metavar="KUBECONFIG")
    return asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
