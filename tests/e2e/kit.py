"""`argosy up` as a stranger runs it: a process, its API over HTTPS, kubectl, the machine's processes.

Nothing here is inside the cluster. The cluster is `python -m argosy up` on a folder of its own; the
API is read with the standard library and the admin kubeconfig; waiting is asking again.
"""

import json
import os
import re
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from argosy.api.kinds import KINDS
from argosy.client import kubeconfig
from argosy.node.runtimes.processes import PROC, ProcessId, parent

Json = dict[str, Any]
T = TypeVar("T")

REPOSITORY = Path(__file__).parents[2]
RESOURCES = {kind.resource.kind: kind.resource for kind in KINDS}
PATIENCE = 30.0
PAUSE = 0.05  # another process tells nobody here of its events: it is asked again and again
START_SECONDS = 30.0


def until(
    look: Callable[[], T | None], *, seconds: float = PATIENCE, told: Callable[[], object] = str
) -> T:
    """What `look` finds, as soon as it is something; fails with what `told` says after `seconds`."""
    end = time.monotonic() + seconds
    while (found := look()) is None:
        if time.monotonic() > end:
            raise AssertionError(f"nothing after {seconds:g} s: {told()}")
        time.sleep(PAUSE)
    return found


class Refused(Exception):
    """The API answered with an error: `status` is the Status object."""

    def __init__(self, code: int, status: Json) -> None:
        super().__init__(f"{code} {status.get('message')}")
        self.code = code
        self.message = str(status.get("message"))
        self.reason = str(status.get("reason"))


class Cluster:
    """One `argosy up` on `folder/data`; it may be started, killed and started again."""

    def __init__(self, folder: Path, *, gpus: str = "1xH100") -> None:
        self.folder = folder
        self.data = folder / "data"
        self.kubeconfig = self.data / "kubeconfig"
        self._gpus = gpus
        self._starts = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._open: Callable[..., Any] | None = None

    # its life

    def start(self) -> None:
        """Run it, and wait until it says that it is ready."""
        self.launch()
        until(self._is_ready, seconds=START_SECONDS, told=self.log)

    def launch(self) -> None:
        """Run it; it may take a moment to be ready."""
        self._starts += 1
        self._open = None
        arguments = ("--data-dir", str(self.data), "--port", "0", "--simulate-gpus", self._gpus)
        with self._log_path().open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "argosy", "up", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def kill(self) -> None:
        """SIGKILL: no warning, no clean-up."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self, *, seconds: float = 20.0) -> int:
        """SIGTERM; the exit code."""
        assert self._process is not None
        self._process.terminate()
        try:
            return self._process.wait(seconds)
        finally:
            self.kill()

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def log(self) -> str:
        """What the newest start has said on stdout and stderr."""
        return self._log_path().read_text(errors="replace")

    def _log_path(self) -> Path:
        return self.folder / f"argosy-{self._starts}.log"

    def _is_ready(self) -> bool | None:
        assert self.runs, f"argosy up ended: {self.log()}"
        return "argosy is ready at" in self.log() or None

    # its API

    def call(
        self, method: str, path: str, body: Json | None = None, *, content: str = "application/json"
    ) -> Any:
        """The answer, decoded where it is JSON. Raises Refused, OSError."""
        if self._open is None:
            self._open, self._server, self._token = self._connect()
        headers = {"authorization": f"Bearer {self._token}", "content-type": content}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._server + path, data, headers, method=method)
        try:
            with self._open(request, timeout=10) as answer:
                content = answer.read()
                plain = not answer.headers["content-type"].startswith("application/json")
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(error.code, json.loads(error.read())) from None
        return content.decode() if plain else json.loads(content)

    def _connect(self) -> tuple[Callable[..., Any], str, str]:
        access = kubeconfig.load(self.kubeconfig)
        tls = urllib.request.HTTPSHandler(context=ssl.create_default_context(cadata=access.ca))
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), tls)
        return opener.open, access.server, access.token

    def apply(self, body: Json, namespace: str) -> Json:
        """Server-side apply, as `kubectl apply --server-side --force-conflicts`."""
        path = _path(body["kind"], namespace, body["metadata"]["name"])
        query = urlencode({"fieldManager": "e2e", "force": "true", "fieldValidation": "Strict"})
        answer: Json = self.call(
            "PATCH", f"{path}?{query}", body, content="application/apply-patch+yaml"
        )
        return answer

    def get(self, kind: str, name: str, namespace: str) -> Json:
        """One object."""
        found: Json = self.call("GET", _path(kind, namespace, name))
        return found

    def list(self, kind: str, namespace: str) -> list[Json]:
        """All objects of a kind in a namespace."""
        found: list[Json] = self.call("GET", _path(kind, namespace))["items"]
        return found

    def delete(self, kind: str, name: str, namespace: str) -> None:
        """Delete one object, its dependents in the background; pods get no grace."""
        self.call("DELETE", _path(kind, namespace, name) + "?gracePeriodSeconds=0")

    def logs(self, pod: str, namespace: str) -> str:
        """What a pod has said so far."""
        return str(self.call("GET", _path("Pod", namespace, pod) + "/log"))

    def until(
        self,
        kind: str,
        name: str,
        namespace: str,
        check: Callable[[Json], bool],
        *,
        seconds: float = PATIENCE,
    ) -> Json:
        """The object, once it is there and `check` holds."""
        last: list[object] = []

        def look() -> Json | None:
            assert self.runs, f"argosy up ended: {self.log()}"
            try:
                found = self.get(kind, name, namespace)
            except Refused as error:
                last[:] = [error]
                return None
            last[:] = [json.dumps(found.get("status"), indent=1)]
            return found if check(found) else None

        return until(look, seconds=seconds, told=lambda: f"{kind} {name}: {last}")


def _path(kind: str, namespace: str, name: str = "") -> str:
    return RESOURCES[kind].path(name, namespace)


# what objects say


def condition(obj: Json, kind: str) -> Json:
    """A condition of the object's status; empty where there is none."""
    conditions: list[Json] = obj.get("status", {}).get("conditions", [])
    return next((item for item in conditions if item["type"] == kind), {})


def is_true(kind: str) -> Callable[[Json], bool]:
    """A check that a condition is true."""
    return lambda obj: condition(obj, kind).get("status") == "True"


def phase(*names: str) -> Callable[[Json], bool]:
    """A check of a pod's phase."""
    return lambda obj: obj.get("status", {}).get("phase") in names


def says(part: str) -> Callable[[Json], bool]:
    """A check that some text is anywhere in the object's status."""
    return lambda obj: part in json.dumps(obj.get("status", {}), ensure_ascii=False)


def host_pod(name: str, script: str, **spec: Any) -> Json:
    """A pod of this machine that runs a shell script."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "runtimeClassName": "host",
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 5,
            "containers": [{"name": "main", "image": "host", "command": ["sh", "-c", script]}],
            **spec,
        },
    }


# processes


def below(root: int) -> set[ProcessId]:
    """All processes that `root` has started, and those that they have, at any depth."""
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        above = parent(int(entry.name)) if entry.name.isdigit() else None
        if above is not None:
            children.setdefault(above, []).append(int(entry.name))
    found, look = set(), [root]
    while look:
        mine = children.get(look.pop(), [])
        found |= {one for pid in mine if (one := ProcessId.of(pid)) is not None}
        look += mine
    return found


def alive(processes: Iterable[ProcessId]) -> dict[int, str]:
    """Those that still run, with their command lines."""
    found = {}
    for one in processes:
        if ProcessId.of(one.pid) == one and (command := _command(one.pid)):
            found[one.pid] = command
    return found


def _command(pid: int) -> str:
    """Empty for a zombie, which runs no more."""
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


class Watchman:
    """Notes every process below `root`, and its command line, for as long as the block lasts."""

    def __init__(self, root: int) -> None:
        self.seen: dict[ProcessId, str] = {}
        self._root = root
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._over.wait(PAUSE):
            self.seen |= {one: _command(one.pid) for one in below(self._root)}

    def __enter__(self) -> "Watchman":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


# command lines


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


def run(*command: str, seconds: float = 30.0, **options: Any) -> Done:
    """Run a command to its end."""
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=seconds, check=False, **options
    )
    return Done(done.returncode, done.stdout, done.stderr)


def newest_kubectl() -> Path | None:
    """The kubectl of the highest version among those in PATH and in its folder, if any.

    Google's packages put `kubectl.1.NN` for several minors beside one that chooses among them.
    """
    folders = [Path(entry) for entry in os.get_exec_path()]
    there = [folder / "kubectl" for folder in folders if os.access(folder / "kubectl", os.X_OK)]
    if not there:
        return None
    versions: dict[int, Path] = {}
    for path in there[0].resolve().parent.glob("kubectl.1.*"):
        if minor := re.fullmatch(r"kubectl\.1\.(\d+)", path.name):
            versions[int(minor[1])] = path
    return versions[max(versions)] if versions else there[0]


@dataclass(frozen=True, slots=True)
class Kubectl:
    """A stock kubectl for one namespace of a cluster, with a home folder of its own."""

    program: Path
    cluster: Cluster
    namespace: str
    home: Path
    environment: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        environment = {"HOME": str(self.home), "PATH": os.defpath}
        object.__setattr__(self, "environment", environment)

    def __call__(self, *arguments: str, stdin: Json | None = None) -> Done:
        """Run it to its end; `stdin` is a manifest for `-f -`."""
        text = None if stdin is None else json.dumps(stdin)
        return run(*self.command(*arguments), input=text, env=self.environment)

    def ok(self, *arguments: str, stdin: Json | None = None) -> str:
        """stdout of a command that must succeed."""
        done = self(*arguments, stdin=stdin)
        assert done.code == 0, f"kubectl {' '.join(arguments)}: {done.err}"
        return done.out

    def command(self, *arguments: str) -> list[str]:
        """The command line."""
        where = [f"--kubeconfig={self.cluster.kubeconfig}", f"--namespace={self.namespace}"]
        return [str(self.program), *where, *arguments]
