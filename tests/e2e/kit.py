"""`argosy up` as a stranger runs it: a process, and its API over HTTPS.

Nothing here is inside the cluster. The cluster is `python -m argosy up` on a folder of its own; the
API is read with the standard library and the admin kubeconfig; waiting is asking again. `processes`
looks at what it runs, `kubectl` at what people type.
"""

import json
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from argosy.api.kinds import PREFERRED
from argosy.client import kubeconfig

Json = dict[str, Any]
T = TypeVar("T")

REPOSITORY = Path(__file__).parents[2]
PATIENCE = 30.0
PAUSE = 0.05  # another process tells nobody here of its events: it is asked again and again
START_SECONDS = 30.0


def until(
    look: Callable[[], T | None], *, seconds: float = PATIENCE, told: Callable[[], object] = str
) -> T:
    """What `look` finds, once it is something; after `seconds`, fails with what `told` says."""
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

    def __init__(
        self, folder: Path, *, gpus: str = "1xH100", port: int = 0, flags: tuple[str, ...] = ()
    ) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.kubeconfig = self.data / "kubeconfig"
        self._arguments = ("--port", str(port), "--simulate-gpus", gpus, *flags)
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
        arguments = ("--data-dir", str(self.data), *self._arguments)
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
                told = answer.read()
                plain = not answer.headers["content-type"].startswith("application/json")
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(error.code, json.loads(error.read())) from None
        return told.decode() if plain else json.loads(told)

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
    return PREFERRED[kind].path(name, namespace)


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
