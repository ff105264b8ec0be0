"""What a host process may see: bubblewrap's arguments, from nothing up.

The sandbox starts empty. Read-only in it: the machine's programs and libraries, the Python
installation that Argosy runs on, a few files of /etc, the kernel's part of /proc. Writable: a
private /tmp, an empty root in memory, and the volumes. User, pid, ipc, uts and cgroup namespaces
are its own; the network is the machine's. All capabilities are dropped and none can be gained
(bubblewrap sets no_new_privs). Not in it: home folders, /var, /run, Argosy's own data, other
processes.
"""

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import argosy
from argosy.node.runtimes.interface import ContainerConfig

PROGRAMS = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32")
# Whole folders only where nothing in them is secret: /etc/ssl and /etc/pki hold private keys too.
CONFIGURATION = (
    "alternatives",
    "gai.conf",
    "host.conf",
    "ld.so.cache",
    "localtime",
    "mime.types",
    "pki/ca-trust",
    "pki/tls/cert.pem",
    "pki/tls/certs",
    "protocols",
    "resolv.conf",
    "services",
    "ssl/certs",
    "ssl/openssl.cnf",
)
NAMESPACES = (
    "--unshare-user-try",  # implied, and not optional, for anyone but root
    "--unshare-pid",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
    "--die-with-parent",
    "--new-session",
    "--cap-drop",
    "ALL",
)
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
HOME = "/tmp"
PROC = Path("/proc")
_MOST_LINKS = 40  # as the kernel has it


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """What all sandboxes of a node share.

    `readable` are folders to expose, `hidden` ones that stay out even where they lie in exposed
    ones. The folder of `interpreter` comes first in PATH, so that `python` is Argosy's own. `etc`
    has the node's own passwd, group and nsswitch.conf.
    """

    readable: tuple[Path, ...]
    hidden: tuple[Path, ...] = ()
    interpreter: Path
    etc: Path

    def arguments(self, config: ContainerConfig, descriptors: Sequence[int | None]) -> list[str]:
        """All options. `descriptors`, one a mount, are opened paths for those with a sub-path."""
        return [
            *NAMESPACES,
            *("--hostname", config.hostname),
            *("--tmpfs", "/tmp", "--proc", "/proc", "--dev", "/dev"),
            *_kernel_read_only(),
            *_programs(),
            *self._configuration(),
            *self._exposed(),
            *_mounts(config, descriptors),
            *("--chdir", config.working_dir or HOME),
            *self._environment(config),
        ]

    def _configuration(self) -> Iterable[str]:
        for name in CONFIGURATION:
            yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
        for name in ETC:
            yield from ("--ro-bind", str(self.etc / name), f"/etc/{name}")

    def _exposed(self) -> Iterable[str]:
        # A link's target is exposed as well: what lies in the folder may name either.
        shown = list(dict.fromkeys(p for path in self.readable for p in (path, path.resolve())))
        for path in shown:
            yield from ("--ro-bind", str(path), str(path))
        shown.append(Path("/usr"))
        for link in _links(self.interpreter):
            if not any(link.is_relative_to(path) for path in shown):
                yield from ("--symlink", os.readlink(link), str(link))
        for path in self.hidden:
            if any(path.is_relative_to(other) for other in shown):
                if path.is_file():
                    yield from ("--ro-bind", "/dev/null", str(path))
                else:
                    yield from ("--tmpfs", str(path))

    def variables(self, config: ContainerConfig) -> dict[str, str]:
        """The whole environment of the container's processes."""
        base = {"PATH": f"{self.interpreter.parent}:{SYSTEM_PATH}", "HOME": HOME}
        return {**base, **config.env}

    def _environment(self, config: ContainerConfig) -> Iterable[str]:
        yield "--clearenv"
        for name, value in self.variables(config).items():
            yield from ("--setenv", name, value)


def _programs() -> Iterable[str]:
    for name in PROGRAMS:
        path = Path("/", name)
        if path.is_symlink():
            yield from ("--symlink", os.readlink(path), str(path))
        elif path.is_dir():
            yield from ("--ro-bind", str(path), str(path))


def _kernel_read_only() -> Iterable[str]:
    """Cover what /proc has beside processes.

    Where Argosy is root, so is the sandbox's user to the kernel's own files, capabilities or not:
    it could write /proc/sys/kernel/core_pattern, and with it run code outside.
    """
    for path in sorted(PROC.iterdir()):
        if path.name.isdigit() or path.is_symlink():
            continue
        if path.is_dir() or path.stat().st_mode & 0o222:
            yield from ("--ro-bind-try", str(path), str(path))


def _mounts(config: ContainerConfig, descriptors: Sequence[int | None]) -> Iterable[str]:
    # Parents first, or they would cover what is mounted in them.
    pairs = zip(config.mounts, descriptors, strict=True)
    for mount, descriptor in sorted(pairs, key=lambda pair: len(Path(pair[0].target).parts)):
        option = "--ro-bind" if mount.read_only else "--bind"
        if descriptor is None:
            yield from (option, str(mount.source), mount.target)
        else:
            yield from (f"{option}-fd", str(descriptor), mount.target)
    if config.working_dir:
        yield from ("--dir", config.working_dir)


def _account(uid: int) -> str:
    return "root" if uid == 0 else "argosy"


def etc_files(uid: int, gid: int) -> dict[str, str]:
    """The node's own files of /etc, by name: one account beside nobody's, no name services."""
    name = _account(uid)
    nobody = "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
    return {
        "passwd": f"{name}:x:{uid}:{gid}:{name}:{HOME}:/bin/sh\n{nobody}",
        "group": f"{name}:x:{gid}:\nnogroup:x:65534:\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    }


ETC = tuple(etc_files(0, 0))


def installation() -> tuple[Path, ...]:
    """The folders of the running Python and of this package: what `readable` must hold."""
    found = (Path(sys.prefix), Path(sys.base_prefix), Path(argosy.__file__).parent)
    return tuple(dict.fromkeys(path for path in found if not path.is_relative_to("/usr")))


def _links(path: Path) -> Iterable[Path]:
    """The chain of links that a virtual environment's interpreter is."""
    for _ in range(_MOST_LINKS):
        if not path.is_symlink():
            return
        yield path
        path = Path(os.path.normpath(path.parent / os.readlink(path)))
