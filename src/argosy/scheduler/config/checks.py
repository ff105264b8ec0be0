"""What a configuration must keep to, in kube-scheduler's words, each with its field.

What plugins are told is checked by the plugins, whether plugins exist where profiles are made.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from argosy.api.cel.values import CelError, parse_duration
from argosy.api.names import qualified_faults
from argosy.api.validation.resources import is_extended
from argosy.base.errors import FieldError, duplicate, invalid_value, required
from argosy.scheduler.config.forms import (
    API_VERSION,
    Extender,
    KubeSchedulerConfiguration,
    KubeSchedulerProfile,
    LeaderElection,
    Plugins,
    PluginSet,
)

Faults = Iterator[FieldError]

HIGHEST_WEIGHT = 2**31 - 1
REMOVED = ("AzureDiskLimits", "CinderLimits", "EBSLimits", "GCEPDLimits")


def faults(configuration: KubeSchedulerConfiguration) -> Faults:
    """All that is wrong, as far as the file alone can tell."""
    connection = configuration.client_connection
    if connection is not None and connection.burst < 0:
        yield invalid_value("clientConnection.burst", connection.burst, "must be non-negative")
    if configuration.leader_election is not None:
        yield from _election(configuration.leader_election, "leaderElection")
    if configuration.parallelism <= 0:
        detail = "should be an integer value greater than zero"
        yield invalid_value("parallelism", configuration.parallelism, detail)
    yield from _profiles(configuration.profiles)
    share = configuration.percentage_of_nodes_to_score
    yield from _percentage(share, "percentageOfNodesToScore")
    yield from _rests(configuration)
    yield from _extenders(configuration.extenders)


def seconds(text: str) -> float:
    """A duration as Go writes it. Raises ValueError."""
    try:
        return parse_duration(text).ns / 1e9
    except CelError as error:
        raise ValueError(str(error)) from None


def _rests(configuration: KubeSchedulerConfiguration) -> Faults:
    first = configuration.pod_initial_backoff_seconds
    longest = configuration.pod_max_backoff_seconds
    if first <= 0:
        yield invalid_value("podInitialBackoffSeconds", first, "must be greater than 0")
    if longest < first:
        detail = "must be greater than or equal to PodInitialBackoffSeconds"
        yield invalid_value("podMaxBackoffSeconds", longest, detail)


def _percentage(value: int | None, path: str) -> Faults:
    if value is not None and not 0 <= value <= 100:
        yield invalid_value(path, value, "not in valid range [0-100]")


def _duration(text: str, path: str, above: float, detail: str) -> Faults:
    try:
        if seconds(text) <= above:
            yield invalid_value(path, text, detail)
    except ValueError as error:
        yield invalid_value(path, text, str(error))


def _election(given: LeaderElection, path: str) -> Faults:
    texts = {
        "leaseDuration": given.lease_duration,
        "renewDeadline": given.renew_deadline,
        "retryPeriod": given.retry_period,
    }
    least = 0.0 if given.leader_elect else -math.inf  # what is not used is only to be durations
    found: list[FieldError] = []
    for name, text in texts.items():
        found += _duration(text, f"{path}.{name}", least, "must be greater than zero")
    yield from found
    if found or not given.leader_elect:
        return
    if seconds(given.lease_duration) <= seconds(given.renew_deadline):
        detail = "must be greater than `RenewDeadline`"
        yield invalid_value(f"{path}.leaseDuration", given.renew_deadline, detail)
    if given.resource_lock != "leases":
        detail = 'resourceLock value must be "leases"'
        yield invalid_value(f"{path}.resourceLock", given.resource_lock, detail)


def _profiles(profiles: Sequence[KubeSchedulerProfile]) -> Faults:
    known: dict[str, int] = {}
    for index, profile in enumerate(profiles):
        path = f"profiles[{index}]"
        name = profile.scheduler_name or ""
        if not name and (len(profiles) > 1 or profile.scheduler_name is not None):
            yield required(f"{path}.schedulerName")
        yield from _percentage(
            profile.percentage_of_nodes_to_score, f"{path}.percentageOfNodesToScore"
        )
        yield from _plugin_sets(profile.plugins, f"{path}.plugins")
        yield from _plugin_configs(profile, f"{path}.pluginConfig")
        if name in known:
            yield duplicate(f"{path}.schedulerName", f"profiles[{known[name]}].schedulerName")
        known[name] = index
    yield from _one_order(profiles)


def _plugin_sets(plugins: Plugins, path: str) -> Faults:
    for point, chosen in sets_of(plugins):
        for index, entry in enumerate(chosen.enabled):
            field = f"{path}.{point}.enabled[{index}]"
            if entry.name in REMOVED:
                yield invalid_value(field, entry.name, _removed())
            if entry.weight < 0:
                yield invalid_value(f"{field}.weight", entry.weight, "must not be negative")


def sets_of(plugins: Plugins) -> list[tuple[str, PluginSet]]:
    """Each extension point's name in the file, and what is chosen for it."""
    fields = msgspec.structs.fields(plugins)
    return [(field.encode_name, getattr(plugins, field.name)) for field in fields]


def _removed() -> str:
    version = f'version "{API_VERSION}"'
    return f"was invalid in {version} (KubeSchedulerConfiguration is {version})"


def _plugin_configs(profile: KubeSchedulerProfile, path: str) -> Faults:
    seen: set[str] = set()
    for index, given in enumerate(profile.plugin_config):
        field = f"{path}[{index}]"
        if given.name in seen:
            yield duplicate(field, given.name)
        seen.add(given.name)
        if given.name in REMOVED:
            yield invalid_value(field, given.name, _removed())


def _one_order(profiles: Sequence[KubeSchedulerProfile]) -> Faults:
    """Waiting pods are in one queue: it can't have two orders."""
    if not profiles:
        return
    first = profiles[0].plugins.queue_sort
    if len(first.enabled) > 1:
        detail = "only one queue sort plugin can be enabled"
        yield invalid_value("profiles[0].plugins.queueSort.Enabled", len(first.enabled), detail)
    for index, profile in enumerate(profiles[1:], 1):
        chosen = profile.plugins.queue_sort
        if chosen != first:
            shown: Any = msgspec.to_builtins(chosen)
            path = f"profiles[{index}].plugins.queueSort"
            yield invalid_value(path, shown, "must be the same for all profiles")


def _extenders(extenders: Sequence[Extender]) -> Faults:
    managed: set[str] = set()
    for index, extender in enumerate(extenders):
        path = f"extenders[{index}]"
        if extender.prioritize_verb and extender.weight <= 0:
            detail = "must have a positive weight applied to it"
            yield invalid_value(f"{path}.weight", extender.weight, detail)
        if extender.weight > HIGHEST_WEIGHT:
            detail = f"must not be greater than {HIGHEST_WEIGHT}"
            yield invalid_value(f"{path}.weight", extender.weight, detail)
        # A timeout of 0 is the usual one.
        detail = "must not be negative"
        yield from _duration(extender.http_timeout, f"{path}.httpTimeout", -1e-9, detail)
        if not extender.url_prefix.startswith(("http://", "https://")):
            detail = "must be a URL of http or https"
            yield invalid_value(f"{path}.urlPrefix", extender.url_prefix, detail)
        for position, resource in enumerate(extender.managed_resources):
            field = f"{path}.managedResources[{position}].name"
            yield from _resource(resource.name, field, managed)
    binders = sum(bool(extender.bind_verb) for extender in extenders)
    if binders > 1:
        shown = f"found {binders} extenders implementing bind"
        yield invalid_value("extenders", shown, "only one extender can implement bind")


def _resource(name: str, path: str, known: set[str]) -> Faults:
    wrong = qualified_faults(name)
    yield from (invalid_value(path, name, fault) for fault in wrong)
    if not wrong and not is_extended(name):
        yield invalid_value(path, name, "is an invalid extended resource name")
    if name in known:
        yield invalid_value(path, name, "duplicate extender managed resource name")
    known.add(name)
