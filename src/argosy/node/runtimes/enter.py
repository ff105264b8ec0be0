"""A program of its own: runs a command inside of a sandbox that stands already.

`python -I -S enter.py FD`, where FD is a file with a `plan`. It joins the namespaces, gives up
every privilege that joining lent it, and only then lets anything of the sandbox run: a container
may have mounted what it likes over the machine's programs, so no program in there is trusted, not
even for giving up privileges, and nothing is imported once the sandbox's files are the only ones.
"""

import ctypes
import fcntl
import json
import os
import signal
import sys
import termios
import warnings  # what os.execvpe would import when it is too late
from typing import Any, Final

NS_GET_USERNS: Final = 0xB701
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 24, 38
CAPABILITY_VERSION_3: Final = 0x20080522
CAPABILITIES: Final = 64
NOT_FOUND, NOT_EXECUTABLE, NOT_ENTERED = 127, 126, 125
_ERRNO_INVALID: Final = 22


def main(plan: dict[str, Any]) -> int:
    """Enter, run, wait; the command's exit code, 128 + n after signal n."""
    assert warnings
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        _join(libc, plan["namespaces"])
    except OSError as error:
        return _complain(f"entering the sandbox: {error.strerror}", NOT_ENTERED)
    child = os.fork()  # a pid namespace is joined by children alone
    if child == 0:
        os._exit(_run(libc, plan))
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _join(libc: ctypes.CDLL, namespaces: dict[str, int]) -> None:
    """Join them, as the user namespace that owns them; then the command's own, if it is another."""
    own = namespaces["user"]
    owner = fcntl.ioctl(namespaces["mnt"], NS_GET_USERNS)
    here = os.open("/proc/self/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    within = [here, owner]
    if not os.path.sameopenfile(here, owner):
        _done(libc.setns(owner, 0))
    for name, descriptor in namespaces.items():
        if name != "user":
            _done(libc.setns(descriptor, 0))
    if not any(os.path.sameopenfile(own, other) for other in within):
        _done(libc.setns(own, 0))
    for descriptor in (*within, *namespaces.values()):
        os.close(descriptor)


def _run(libc: ctypes.CDLL, plan: dict[str, Any]) -> int:
    """Become the command; returns only if that fails."""
    argv, env = plan["argv"], plan["env"]
    try:
        if plan["tty"]:
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        _done(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0))
        _drop_privileges(libc)
        os.chdir(plan["cwd"])
    except OSError as error:
        return _complain(f"entering the sandbox: {error.strerror}", NOT_ENTERED)
    try:
        os.execvpe(argv[0], argv, env)
    except FileNotFoundError:
        return _complain(f"{argv[0]}: executable file not found in $PATH", NOT_FOUND)
    except (OSError, ValueError) as error:
        return _complain(f"{argv[0]}: {error}", NOT_EXECUTABLE)


def _drop_privileges(libc: ctypes.CDLL) -> None:
    for capability in range(CAPABILITIES):
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            if ctypes.get_errno() != _ERRNO_INVALID:  # there is no such capability
                _done(-1)
            break
    _done(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    _done(libc.capset(header, nothing))


def _done(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _complain(text: str, code: int) -> int:
    os.write(2, f"{text}\n".encode())
    return code


if __name__ == "__main__":
    with os.fdopen(int(sys.argv[1]), "rb") as file:
        told = json.load(file)
    sys.exit(main(told))
