"""Which of upstream's admission plugins run, where that is not as usual.

`--enable-admission-plugins` and `--disable-admission-plugins` name them; their order is the table's
whatever is named. What stands in the table and is not upstream's plugin is always on.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from argosy.apiserver.admission.configuration import AdmissionRules
from argosy.apiserver.admission.pod_security import PodSecurity
from argosy.apiserver.admission.rule import Plugin
from argosy.apiserver.configfile import ConfigurationError
from argosy.base.clock import Clock

if TYPE_CHECKING:
    from argosy.apiserver.admission.rule import Rule

OFF: Final = frozenset({"EventRateLimit"})
"""What is in the table, and does nothing before it is enabled."""
ABSENT: Final = frozenset(
    {
        "AlwaysAdmit",
        "AlwaysDeny",
        "AlwaysPullImages",
        "DenyServiceExternalIPs",
        "ExtendedResourceToleration",
        "ImagePolicyWebhook",
        "LimitPodHardAntiAffinityTopology",
        "NamespaceAutoProvision",
        "NamespaceExists",
        "OwnerReferencesPermissionEnforcement",
        "PodNodeSelector",
        "PodTolerationRestriction",
    }
)
"""Upstream's plugins, off there by default, that are not in the table."""
OURS: Final = frozenset(
    {"CertificateRequester", "Protected", "RBACEscalation", "ServiceAddresses", "TrainJobRuntime"}
)
"""What the table has beside upstream's plugins."""


def switched(known: Sequence[Plugin], rules: AdmissionRules, clock: Clock) -> tuple[Plugin, ...]:
    """The plugins that run, configured. Raises ConfigurationError for names that are not there."""
    _check(frozenset(plugin.name for plugin in known) - OURS, rules)
    off = (OFF | rules.disabled) - rules.enabled
    return tuple(_configured(one, rules, clock) for one in known if one.name not in off)


def _check(known: frozenset[str], rules: AdmissionRules) -> None:
    for flag, named in (("enable", rules.enabled), ("disable", rules.disabled)):
        for name in sorted(named - known):
            if name not in ABSENT:
                raise ConfigurationError(f'{flag}-admission-plugins plugin "{name}" is unknown')
    if missing := sorted(rules.enabled & ABSENT):
        raise ConfigurationError(f'enable-admission-plugins plugin "{missing[0]}" is not served')
    if both := sorted(rules.enabled & rules.disabled):
        raise ConfigurationError(
            f"[{' '.join(both)}] in enable-admission-plugins and disable-admission-plugins "
            "overlapped"
        )


def _configured(plugin: Plugin, rules: AdmissionRules, clock: Clock) -> Plugin:
    if plugin.name == "PodSecurity":
        return replace(plugin, validate=PodSecurity(rules.pod_security, rules.exempt))
    if plugin.name == "EventRateLimit":
        return replace(plugin, validate=_limits(rules, clock))
    return plugin


def _limits(rules: AdmissionRules, clock: Clock) -> "Rule":
    # Loaded where it is enabled: most servers run without.
    from argosy.apiserver.admission.event_rate_limit import EventRateLimit, faults
    from argosy.apiserver.configfile import refuse

    refuse("the configuration of EventRateLimit", faults(rules.event_limits))
    return EventRateLimit.of(rules.event_limits, clock)
