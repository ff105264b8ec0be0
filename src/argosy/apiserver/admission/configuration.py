"""What admission plugins are told at the start: an `AdmissionConfiguration`, and what it points to.

The file is upstream's. Of its plugins PodSecurity (`PodSecurityConfiguration`) and EventRateLimit
(`Configuration`) are read, each within the file or from one of its own; any other is refused by
name. Source: Kubernetes' "Admission controllers" and "Enforce Pod Security Standards by
configuring the built-in admission controller".
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from argosy.api.names import label_faults, subdomain_faults
from argosy.apiserver.configfile import (
    ConfigurationError,
    Document,
    Part,
    content,
    converted,
    refuse,
)
from argosy.base.errors import FieldError, duplicate, invalid_value
from argosy.security.podsecurity.exemptions import Exemptions
from argosy.security.podsecurity.levels import Policy, Standard, read_level, read_version

VERSIONS: Final = ("apiserver.config.k8s.io/v1", "apiserver.k8s.io/v1alpha1")
KIND: Final = "AdmissionConfiguration"
POD_SECURITY_VERSIONS: Final = tuple(
    f"pod-security.admission.config.k8s.io/{name}" for name in ("v1", "v1beta1", "v1alpha1")
)
POD_SECURITY_KIND: Final = "PodSecurityConfiguration"
EVENTS_VERSIONS: Final = ("eventratelimit.admission.k8s.io/v1alpha1",)
EVENTS_KIND: Final = "Configuration"

Errors = Iterator[FieldError]


class _Plugin(Part, frozen=True, kw_only=True):
    """One plugin: what it is told, or where that stands."""

    name: str = ""
    path: str = ""
    configuration: Any = None


class _Admission(Document, frozen=True, kw_only=True):
    """The whole file."""

    plugins: tuple[_Plugin, ...] = ()


class _Defaults(Part, frozen=True, kw_only=True, rename="kebab"):
    """The policy of namespaces whose labels are silent."""

    enforce: str = ""
    enforce_version: str = ""
    audit: str = ""
    audit_version: str = ""
    warn: str = ""
    warn_version: str = ""


class _Exemptions(Part, frozen=True, kw_only=True):
    """Whom and what the policy doesn't concern."""

    usernames: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    runtime_classes: tuple[str, ...] = ()


class _PodSecurity(Document, frozen=True, kw_only=True):
    """What PodSecurity is told."""

    defaults: _Defaults = _Defaults()
    exemptions: _Exemptions = _Exemptions()


class EventLimit(Part, frozen=True, kw_only=True):
    """So many events a second (`qps`), and so many at once (`burst`)."""

    type: str = ""
    qps: int = 0
    burst: int = 0
    cache_size: int = 0


class _Events(Document, frozen=True, kw_only=True):
    """What EventRateLimit is told."""

    limits: tuple[EventLimit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionRules:
    """Which plugins are on and off against custom, and what they are told."""

    enabled: frozenset[str] = frozenset()
    disabled: frozenset[str] = frozenset()
    pod_security: Policy = Policy()
    exempt: Exemptions = Exemptions()
    event_limits: tuple[EventLimit, ...] = ()


def load(file: Path, rules: AdmissionRules) -> AdmissionRules:
    """`rules`, with what the file says. Raises ConfigurationError."""
    found = converted(content(file), _Admission, VERSIONS, KIND, file)
    seen: set[str] = set()
    for plugin in found.plugins:
        read = READERS.get(plugin.name)
        if read is None:
            shown = f'reading {file}: plugin "{plugin.name}" can not be configured'
            raise ConfigurationError(shown)
        if plugin.name not in seen:  # the first counts
            seen.add(plugin.name)
            rules = _told(plugin, file, rules, read)
    return rules


def _told(plugin: _Plugin, file: Path, rules: AdmissionRules, read: "Reader") -> AdmissionRules:
    if plugin.configuration is not None:
        return read(plugin.configuration, f"{file}, {plugin.name}", rules)
    if plugin.path:
        own = file.parent / plugin.path
        return read(content(own), str(own), rules)
    return rules


def _pod_security(found: Any, source: str, rules: AdmissionRules) -> AdmissionRules:
    told = converted(found, _PodSecurity, POD_SECURITY_VERSIONS, POD_SECURITY_KIND, source)
    refuse(source, pod_security_faults(told))
    asked, exempt = told.defaults, told.exemptions
    policy = Policy(
        _standard(asked.enforce, asked.enforce_version),
        _standard(asked.audit, asked.audit_version),
        _standard(asked.warn, asked.warn_version),
    )
    exemptions = Exemptions(
        frozenset(exempt.usernames),
        frozenset(exempt.namespaces),
        frozenset(exempt.runtime_classes),
    )
    return replace(rules, pod_security=policy, exempt=exemptions)


def _standard(level: str, version: str) -> Standard:
    return Standard(read_level(level or "privileged"), read_version(version or "latest"))


def pod_security_faults(told: _PodSecurity) -> Errors:
    """What is wrong with it, in upstream's words."""
    modes = (("enforce", "enforce_version"), ("warn", "warn_version"), ("audit", "audit_version"))
    for level, version in modes:
        yield from _unread(read_level, getattr(told.defaults, level), level)
        shown = version.replace("_", "-")
        yield from _unread(read_version, getattr(told.defaults, version), shown)
    exempt = told.exemptions
    yield from _names(exempt.namespaces, "namespaces", label_faults)
    yield from _names(exempt.runtime_classes, "runtimeClasses", subdomain_faults)
    yield from _names(exempt.usernames, "usernames", _user_faults)


def _unread(read: Callable[[str], object], text: str, name: str) -> Errors:
    if not text:
        return
    try:
        read(text)
    except ValueError as error:
        yield invalid_value(f"defaults.{name}", text, str(error))


def _user_faults(name: str) -> list[str]:
    return [] if name else ["username must not be empty"]


def _names(names: Sequence[str], part: str, faults: Callable[[str], Sequence[str]]) -> Errors:
    for i, name in enumerate(names):
        path = f"exemptions.{part}[{i}]"
        if wrong := faults(name):
            yield invalid_value(path, name, ", ".join(wrong))
        elif name in names[:i]:
            yield duplicate(path, name)


def _events(found: Any, source: str, rules: AdmissionRules) -> AdmissionRules:
    told = converted(found, _Events, EVENTS_VERSIONS, EVENTS_KIND, source)
    return replace(rules, event_limits=told.limits)


Reader = Callable[[Any, str, AdmissionRules], AdmissionRules]
READERS: Final[dict[str, Reader]] = {"EventRateLimit": _events, "PodSecurity": _pod_security}
"""The plugins that can be told something."""
