"""Handlers: what a probe or a hook does, and when."""

from collections.abc import Sequence

from argosy.api.validation import values
from argosy.api.validation.rule import Errors, Json, one_of
from argosy.base.errors import (
    forbidden_field,
    invalid_value,
    not_supported,
    required,
)

TIMES = (
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
)
OF_PROBES = ("exec", "httpGet", "tcpSocket", "grpc")
OF_HOOKS = ("exec", "httpGet", "tcpSocket", "sleep")
_PLAIN = (
    "ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT "
    "SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ"
).split()
SIGNALS = tuple(
    sorted(
        [
            *(f"SIG{name}" for name in _PLAIN),
            "SIGRTMIN",
            "SIGRTMAX",
            *(f"SIGRTMIN+{i}" for i in range(1, 16)),
            *(f"SIGRTMAX-{i}" for i in range(1, 15)),
        ]
    )
)


def liveness(probe: Json, path: str) -> Errors:
    """A liveness or startup probe."""
    yield from _probe(probe, path)
    if probe.get("successThreshold", 1) != 1:
        yield invalid_value(f"{path}.successThreshold", probe["successThreshold"], "must be 1")


def readiness(probe: Json, path: str) -> Errors:
    """A readiness probe."""
    yield from _probe(probe, path)
    if "terminationGracePeriodSeconds" in probe:
        detail = "must not be set for readinessProbes"
        field = f"{path}.terminationGracePeriodSeconds"
        yield invalid_value(field, probe["terminationGracePeriodSeconds"], detail)


PROBES = {"livenessProbe": liveness, "readinessProbe": readiness, "startupProbe": liveness}


def _probe(probe: Json, path: str) -> Errors:
    yield from handler(probe, path, OF_PROBES, None)
    for name in TIMES:
        yield from values.nonnegative(f"{path}.{name}", probe.get(name))
    if probe.get("terminationGracePeriodSeconds", 1) <= 0:
        field = f"{path}.terminationGracePeriodSeconds"
        yield invalid_value(field, probe["terminationGracePeriodSeconds"], "must be greater than 0")


def lifecycle(hooks: Json, path: str, grace: int, system: str | None) -> Errors:
    """`lifecycle` of a container in a pod of that grace period, on that operating system."""
    for name in ("postStart", "preStop"):
        if name in hooks:
            yield from handler(hooks[name], f"{path}.{name}", OF_HOOKS, grace)
    if "stopSignal" in hooks:
        field, signal = f"{path}.stopSignal", hooks["stopSignal"]
        if not system:
            detail = "may not be set for containers with empty `spec.os.name`"
            yield forbidden_field(field, detail)
        else:
            allowed = ("SIGKILL", "SIGTERM") if system == "windows" else SIGNALS
            yield from one_of(field, signal, allowed)


def handler(action: Json, path: str, kinds: Sequence[str], grace: int | None) -> Errors:
    """Exactly one of `kinds`."""
    found = [name for name in kinds if name in action]
    if not found:
        yield required(path, "must specify a handler type")
        return
    first, *others = found
    yield from _action(first, action[first], f"{path}.{first}", grace)
    for name in others:
        yield forbidden_field(f"{path}.{name}", "may not specify more than 1 handler type")


def _action(kind: str, action: Json, path: str, grace: int | None) -> Errors:
    if kind == "exec":
        if not action.get("command"):
            yield required(f"{path}.command")
    elif kind == "httpGet":
        yield from _http(action, path)
    elif kind == "sleep":
        if grace is not None and not 0 <= action["seconds"] <= grace:
            detail = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
            yield invalid_value(path, action["seconds"], detail)
    else:
        yield from values.port_or_name(f"{path}.port", action["port"])


def _http(action: Json, path: str) -> Errors:
    if not action.get("path", "/"):
        yield required(f"{path}.path")
    yield from values.port_or_name(f"{path}.port", action["port"])
    if action.get("scheme", "HTTP") not in ("HTTP", "HTTPS"):
        yield not_supported(f"{path}.scheme", action["scheme"], ("HTTP", "HTTPS"))
    for header in action.get("httpHeaders") or ():
        if not values.HEADER.fullmatch(header["name"]):
            yield invalid_value(f"{path}.httpHeaders", header["name"], values.HEADER_RULE)
