"""Since 1.34: probes and lifecycle hooks ask the container itself, and no other host."""

from argosy.security.podsecurity.subject import Container, Json, Subject, Violation
from argosy.security.podsecurity.words import named, plural, quoted

PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
HOOKS = ("postStart", "preStop")
ACTIONS = ("httpGet", "tcpSocket")


def probe_hosts(subject: Subject) -> Violation | None:
    """No probe and no hook names a host: the node would call it."""
    found = [(one.name, hosts) for one in subject.containers if (hosts := _hosts(one))]
    if not found:
        return None
    names = sorted({name for name, _ in found})
    forbidden = sorted(set().union(*(hosts for _, hosts in found)))
    verb = "uses" if len(names) == 1 else "use"
    noun = plural("probe or lifecycle host", len(forbidden))
    detail = f"{named('container', names)} {verb} {noun} {quoted(forbidden)}"
    return Violation("probe or lifecycle host", detail)


def _hosts(container: Container) -> set[str]:
    hosts: set[str] = set()
    for name in PROBES:
        if probe := container.raw.get(name):
            _called(probe, hosts)
    if lifecycle := container.raw.get("lifecycle"):
        for name in HOOKS:
            if hook := lifecycle.get(name):
                _called(hook, hosts)
    return hosts


def _called(handler: Json, hosts: set[str]) -> None:
    for action in ACTIONS:
        if (what := handler.get(action)) and (host := what.get("host")):
            hosts.add(host)
