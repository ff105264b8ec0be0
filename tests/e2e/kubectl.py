"""Command lines: a stock kubectl, and any other."""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.kit import Cluster, Json


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
    """The kubectl of the highest version among those in PATH and in its folder, if any."""
    return next(reversed(kubectls()), None)


def kubectls() -> list[Path]:
    """The kubectls in PATH and in its folder, the oldest first.

    Google's packages put `kubectl.1.NN` for several minors beside one that chooses among them.
    """
    folders = [Path(entry) for entry in os.get_exec_path()]
    there = [folder / "kubectl" for folder in folders if os.access(folder / "kubectl", os.X_OK)]
    if not there:
        return []
    versions: dict[int, Path] = {}
    for path in there[0].resolve().parent.glob("kubectl.1.*"):
        if minor := re.fullmatch(r"kubectl\.1\.(\d+)", path.name):
            versions[int(minor[1])] = path
    return [versions[minor] for minor in sorted(versions)] or there[:1]


@dataclass(frozen=True, slots=True)
class Kubectl:
    """A stock kubectl for one namespace of a cluster, with a home folder of its own."""

    program: Path
    cluster: Cluster
    namespace: str
    home: Path
    environment: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        home = str(self.home)
        environment = {"HOME": home, "TMPDIR": home, "PATH": os.defpath}
        object.__setattr__(self, "environment", environment)

    def __call__(self, *arguments: str, stdin: Json | None = None, editor: str = "") -> Done:
        """Run it to its end; `stdin` is a manifest for `-f -`, `editor` the command for `edit`."""
        text = None if stdin is None else json.dumps(stdin)
        environment = {**self.environment, **({"KUBE_EDITOR": editor} if editor else {})}
        command = self.command(*arguments)
        return run(*command, input=text, env=environment, cwd=self.home)

    def ok(self, *arguments: str, stdin: Json | None = None, editor: str = "") -> str:
        """stdout of a command that must succeed."""
        done = self(*arguments, stdin=stdin, editor=editor)
        assert done.code == 0, f"kubectl {' '.join(arguments)}: {done.err}"
        return done.out

    def command(self, *arguments: str) -> list[str]:
        """The command line."""
        where = [f"--kubeconfig={self.cluster.kubeconfig}", f"--namespace={self.namespace}"]
        return [str(self.program), *where, *arguments]
