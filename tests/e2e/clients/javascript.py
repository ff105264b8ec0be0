"""`@kubernetes/client-node`, in a node process that takes a request a line (`javascript.mjs`)."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from argosy.api.kinds import PREFERRED
from tests.e2e.clients.port import WATCH_SECONDS, Event, Listed
from tests.e2e.kit import Json, Refused

PACKAGE = "@kubernetes/client-node@1.4.0"  # the newest that runs with Debian's node
PROGRAM = Path(__file__).with_suffix(".mjs")
INSTALL_SECONDS = 120
UNAVAILABLE = "the JavaScript client can't be installed"

INSTALL = (
    "install",
    "--no-save",
    "--no-package-lock",
    "--no-audit",
    "--no-fund",
    "--ignore-scripts",
)


def installed(scratch: Path) -> Path:
    """A folder with the package in it; skips where npm can't install it."""
    folder = scratch / PACKAGE.replace("/", "-")
    if not folder.exists():
        if shutil.which("node") is None or shutil.which("npm") is None:
            pytest.skip(UNAVAILABLE)
        unfinished = folder.with_name(f"{folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        install(unfinished)
        unfinished.rename(folder)
    return folder


def install(folder: Path) -> None:
    """Install the package; skips where that fails."""
    command = ["npm", *INSTALL, "--prefix", str(folder), PACKAGE]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=INSTALL_SECONDS)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        pytest.skip(UNAVAILABLE)


@contextmanager
def connect(kubeconfig: Path, namespace: str, scratch: Path) -> Iterator["JavaScript"]:
    """A client as the kubeconfig says."""
    folder = installed(scratch)
    program = shutil.copy(PROGRAM, folder)  # modules are looked for beside the program
    command = ["node", str(program), str(kubeconfig), namespace]
    with started(command) as process:
        yield JavaScript(command, process)


@contextmanager
def started(command: list[str]) -> Iterator["subprocess.Popen[str]"]:
    """A process that ends with the block."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
    with process:
        try:
            yield process
        finally:
            process.kill()


def send(process: "subprocess.Popen[str]", request: Json) -> None:
    """Write a request."""
    assert process.stdin is not None
    process.stdin.write(json.dumps(request) + "\n")
    process.stdin.flush()


def answers(process: "subprocess.Popen[str]") -> Iterator[Any]:
    """What it answers, until it ends."""
    assert process.stdout is not None
    for line in process.stdout:
        told = json.loads(line)
        if "refused" in told:
            raise Refused(told["refused"]["code"], told["refused"]["status"])
        yield told["done"]


class JavaScript:
    """Sends requests to the one process, and a watch to a process of its own."""

    applies = True

    def __init__(self, command: list[str], process: "subprocess.Popen[str]") -> None:
        self._command = command
        self._process = process

    def create(self, body: Json) -> Json:
        return self._ask("create", body["kind"], body=body)

    def read(self, kind: str, name: str) -> Json:
        return self._ask("read", kind, name=name)

    def list(self, kind: str, labels: str) -> Listed:
        found = self._ask("list", kind, labels=labels)
        return Listed(found["items"], found["metadata"]["resourceVersion"])

    def watch(self, kind: str, labels: str, since: str) -> Iterator[Event]:
        query = {
            "labelSelector": labels,
            "resourceVersion": since,
            "timeoutSeconds": WATCH_SECONDS,
        }
        with started(self._command) as process:
            send(process, request("watch", kind, query=query))
            for what, found in answers(process):
                yield Event(what, found)

    def label(self, kind: str, name: str, labels: dict[str, str]) -> Json:
        return self._ask("label", kind, name=name, labels=labels)

    def update(self, body: Json) -> Json:
        return self._ask("update", body["kind"], name=body["metadata"]["name"], body=body)

    def apply(self, body: Json, *, manager: str, force: bool = False) -> Json:
        return self._ask("apply", body["kind"], body=body, manager=manager, force=force)

    def delete(self, kind: str, name: str) -> None:
        self._ask("delete", kind, name=name)

    def _ask(self, verb: str, kind: str, **given: Any) -> Json:
        send(self._process, request(verb, kind, **given))
        answer: Json | None = next(answers(self._process), None)
        assert answer is not None, "node has ended; its error is in the test's stderr"
        return answer


def request(verb: str, kind: str, **given: Any) -> Json:
    """A request as the program reads it."""
    found = PREFERRED[kind]
    place = {"apiVersion": found.api_version, "kind": kind, "plural": found.plural}
    return {"verb": verb, **place, **given}
