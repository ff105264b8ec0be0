"""The host runtime with real sandboxes: what they see, how they end, what they leave."""

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest

from argosy.node.runtimes.host import START_FAILED, HostProcess, HostRuntime
from argosy.node.runtimes.interface import ContainerConfig, Exit, Machine, Mount, StartError
from argosy.node.runtimes.processes import ProcessId, child_named
from argosy.node.runtimes.sandbox import Sandbox, etc_files, installation

MISSING = HostRuntime().missing()
sandboxed = pytest.mark.skipif(MISSING is not None, reason=MISSING or "")


class Host:
    """A runtime in a folder, and all output of what it started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runtime = HostRuntime()
        self.output: defaultdict[str, bytes] = defaultdict(bytes)
        self.begun = asyncio.Event()

    async def start(
        self, *argv: str, mounts: Sequence[Mount] = (), cwd: str = "", **env: str
    ) -> HostProcess:
        machine = Machine(
            state=self.folder / "state", readable=installation(), hidden=(self.folder,)
        )
        await self.runtime.open(machine)
        config = ContainerConfig(
            id="one",
            hostname="pod-0",
            argv=argv,
            env=env,
            working_dir=cwd,
            mounts=tuple(mounts),
            output=self._take,
        )
        return await self.runtime.start(config)

    async def run(self, script: str, *, mounts: Sequence[Mount] = (), cwd: str = "") -> str:
        """Run a shell script to its end; its output."""
        process = await self.start("sh", "-c", script, mounts=mounts, cwd=cwd)
        await process.wait()
        return (self.output.pop("stdout", b"") + self.output.pop("stderr", b"")).decode()

    def _take(self, stream: str, data: bytes) -> None:
        self.output[stream] += data
        self.begun.set()


@pytest.fixture
def host(tmp_path: Path) -> Host:
    (tmp_path / "secret").write_text("the admin's token")
    return Host(tmp_path)


@sandboxed
@pytest.mark.parametrize(
    ("argv", "end"),
    [
        (("true",), Exit(0)),
        (("sh", "-c", "exit 3"), Exit(3)),
        (("sh", "-c", "kill -9 $$"), Exit(137)),
        (("sh", "-c", "kill -15 $$"), Exit(143)),
        (("sh", "-c", "echo bwrap: no >&2; exit 1"), Exit(1)),
        (
            ("no-such-program",),
            Exit(START_FAILED, "execvp no-such-program: No such file or directory"),
        ),
        (("/etc/passwd",), Exit(START_FAILED, "execvp /etc/passwd: Permission denied")),
    ],
)
async def test_ends(host: Host, argv: tuple[str, ...], end: Exit) -> None:
    process = await host.start(*argv)
    assert await process.wait() == end
    assert list((host.folder / "state" / "processes").iterdir()) == []


@sandboxed
@pytest.mark.parametrize(
    "script",
    [
        "cat {folder}/secret",
        "ls {folder}",
        "ls /home || ls /var || ls /run || ls /boot || ls /sys",
        "cat /etc/shadow",
        "ls /etc/ssl/private || ls /etc/pki/tls/private",
        "touch /usr/x",
        "touch /bin/x",
        "touch /etc/passwd",
        "echo x > /proc/sys/kernel/core_pattern",
        "echo x > /proc/sys/vm/overcommit_memory",
        "echo h > /proc/sysrq-trigger",
        "mount -t tmpfs none /tmp",
        "kill -0 {pid}",
        "ls -d /proc/{pid}/cwd/",
        "touch {python}/x",
        "chroot / true",
        "mknod /tmp/disk b 8 0",
    ],
)
async def test_what_a_sandbox_can_not_do(host: Host, script: str) -> None:
    command = script.format(folder=host.folder, pid=os.getpid(), python=sys.prefix)
    found = await host.run(f"( {command} ) >/dev/null 2>&1 && echo BREACH || echo held")
    assert found == "held\n"


@sandboxed
async def test_what_a_sandbox_has(host: Host) -> None:
    script = "hostname; id -u; pwd; ls /proc | grep -c '^[0-9]'"
    name, user, folder, processes = (await host.run(script)).split()
    assert (name, user, folder) == ("pod-0", str(os.getuid()), "/tmp")
    assert int(processes) < 8
    status = await host.run("grep -E 'Cap(Eff|Prm|Bnd)|NoNewPrivs' /proc/self/status")
    assert [int(line.split()[1], 16) for line in status.splitlines()] == [0, 0, 0, 1]
    assert (await host.run("echo x > /tmp/x; echo y > /y; cat /tmp/x /y")).split() == ["x", "y"]
    python = "import sys, numpy, argosy; print(sys.prefix)"
    assert (await host.run(f"python -c '{python}'")).strip() == sys.prefix


@sandboxed
async def test_nothing_of_the_kernel_is_writable(host: Host) -> None:
    found = await host.run(
        "find /proc -maxdepth 4 -path '/proc/[0-9]*' -prune -o -type f -writable -print 2>/dev/null"
    )
    assert found == ""


@sandboxed
async def test_the_environment_is_clean(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARGOSY_SECRET", "x")
    process = await host.start("env", "-0", A="1", B="two\nlines", LD_PRELOAD="")
    assert await process.wait() == Exit(0)
    pairs = (item.partition("=") for item in host.output["stdout"].decode().split("\0") if item)
    found = {name: value for name, _, value in pairs}
    assert found.pop("PATH").startswith(f"{Path(sys.executable).parent}:")
    assert found == {"A": "1", "B": "two\nlines", "LD_PRELOAD": "", "HOME": "/tmp", "PWD": "/tmp"}


@sandboxed
async def test_mounts(host: Host) -> None:
    volume = host.folder / "volume"
    (volume / "sub").mkdir(parents=True)
    (volume / "sub" / "file").write_text("in")
    (host.folder / "hosts").write_text("127.64.0.2 rank\n")
    mounts = [
        Mount(source=volume, sub_path="sub", target="/data/sub", read_only=True),
        Mount(source=volume, target="/data"),
        Mount(source=host.folder / "hosts", target="/etc/hosts", read_only=True),
    ]
    script = "cat sub/file; touch sub/x; echo out > made; getent hosts rank; pwd"
    found = await host.run(script, mounts=mounts, cwd="/data")
    assert found.startswith("in127.64.0.2") and "/data\n" in found
    assert "touch: cannot touch 'sub/x': Read-only file system" in found
    assert (volume / "made").read_text() == "out\n"


@sandboxed
async def test_a_sub_path_through_a_link_does_not_start(host: Host) -> None:
    (host.folder / "volume").mkdir()
    (host.folder / "volume" / "out").symlink_to("/etc")
    mount = Mount(source=host.folder / "volume", sub_path="out", target="/data")
    with pytest.raises(StartError, match="symbolic link"):
        await host.start("true", mounts=[mount])


@sandboxed
async def test_all_output_arrives(host: Host) -> None:
    found = await host.run("seq 1 50000; (sleep 0.05; echo late) & printf end")
    assert found == "".join(f"{i}\n" for i in range(1, 50_001)) + "end"


@sandboxed
async def test_terminate_asks_the_main_process_only(host: Host) -> None:
    script = "trap 'echo asked; exit 4' TERM; echo up; while :; do sleep 0.05; done"
    process = await host.start("sh", "-c", script)
    await host.begun.wait()
    process.terminate()
    assert await process.wait() == Exit(4)
    assert host.output["stdout"] == b"up\nasked\n"
    process.terminate()  # ended already: nothing happens
    process.kill()


@sandboxed
async def test_kill_ends_everything(host: Host) -> None:
    script = "trap '' TERM; setsid sh -c \"trap '' TERM; sleep 60\" & echo up; wait; sleep 60"
    process = await host.start("sh", "-c", script)
    await host.begun.wait()
    process.terminate()
    process.kill()
    assert await process.wait() == Exit(137)


CHILD = """
import asyncio, sys
from pathlib import Path
from tests.node.runtimes.test_host import Host

async def main():
    host = Host(Path(sys.argv[1]))
    process = await host.start("sh", "-c", "echo up; sleep 60")
    await host.begun.wait()
    print((host.folder / "state" / "processes" / "one").read_text(), flush=True)
    await process.wait()

asyncio.run(main())
"""


@sandboxed
def test_sandboxes_die_with_the_program(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["src", "."])}
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, env=environment
    ) as program:
        assert program.stdout is not None
        first = ProcessId.parse(program.stdout.readline().decode())
        assert first is not None and ProcessId.of(first.pid) == first
        handle = os.pidfd_open(first.pid)
        program.kill()
    ended, _, _ = select.select([handle], [], [], 2.0)
    os.close(handle)
    assert ended


async def test_leftovers_are_killed_and_nobody_else(tmp_path: Path) -> None:
    left, other = (subprocess.Popen(["sleep", "60"]) for _ in range(2))
    records = tmp_path / "processes"
    records.mkdir()
    (records / "left").write_text(str(ProcessId.of(left.pid)))
    recycled = ProcessId.of(other.pid)
    assert recycled is not None
    (records / "recycled").write_text(
        str(ProcessId(other.pid, recycled.started - 1, recycled.boot))
    )
    (records / "rebooted").write_text(str(ProcessId(other.pid, recycled.started, "other-boot")))
    (records / "torn").write_text("12")
    (records / "gone").write_text(f"{2**22 - 1} 1 {recycled.boot}")
    await HostRuntime().open(Machine(state=tmp_path, readable=(), hidden=()))
    assert list(records.iterdir()) == []
    assert left.wait(timeout=2) == -signal.SIGKILL
    assert other.poll() is None
    other.kill()
    other.wait()


def test_a_child_is_found_by_its_inner_pid() -> None:
    assert child_named(os.getpid(), 2) is None


@pytest.mark.parametrize("image", ["", "nginx", "docker.io/library/host", "host:latest"])
def test_images_are_refused(image: str) -> None:
    why = HostRuntime().refuses(image)
    assert why is not None and f'"{image}"' in why and "never stands in for an image" in why


def test_the_image_host_is_not_refused() -> None:
    assert HostRuntime().refuses("host") is None


def test_without_bubblewrap_there_is_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    why = HostRuntime().missing()
    assert why is not None and "hint: install bubblewrap" in why


def test_a_bubblewrap_that_may_not_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions' >&2; exit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    why = HostRuntime().missing()
    assert why is not None and "No permissions" in why and "hint: allow user namespaces" in why


def test_hidden_folders_and_files_stay_hidden_in_readable_ones(tmp_path: Path) -> None:
    (tmp_path / "keys.yaml").touch()
    sandbox = Sandbox(
        readable=(tmp_path,),
        hidden=(tmp_path / "data", tmp_path / "keys.yaml", Path("/elsewhere")),
        interpreter=Path(sys.executable),
        etc=tmp_path,
    )
    config = ContainerConfig(
        id="", hostname="h", argv=(), env={}, working_dir="", mounts=(), output=lambda s, d: None
    )
    arguments = sandbox.arguments(config, [])
    shown = arguments.index(str(tmp_path))
    assert arguments.index(str(tmp_path / "data")) > shown
    file = arguments.index(str(tmp_path / "keys.yaml"))
    assert file > shown and arguments[file - 2 : file] == ["--ro-bind", "/dev/null"]
    assert "/elsewhere" not in arguments


def test_own_files_of_etc_know_the_user() -> None:
    assert "root:x:0:0:" in etc_files(0, 0)["passwd"]
    assert "argosy:x:1000:100:" in etc_files(1000, 100)["passwd"]
