"""A configuration file as what a scheduler is made of.

NumPy is loaded with the plugins, so nobody needs this module but who has such a file.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

from argosy.base.clock import Clock
from argosy.scheduler.config.checks import sets_of
from argosy.scheduler.config.extenders import extenders
from argosy.scheduler.config.forms import (
    KubeSchedulerConfiguration,
    KubeSchedulerProfile,
)
from argosy.scheduler.config.points import POINTS
from argosy.scheduler.config.profiles import Making
from argosy.scheduler.config.reading import ConfigError, content, parsed
from argosy.scheduler.plugins.table import FACTORIES, PLUGINS
from argosy.scheduler.profiles import Setup
from argosy.scheduler.thirdparty.entrypoints import offered
from argosy.scheduler.thirdparty.watch import Watch

log = logging.getLogger(__name__)


def configured(file: Path, clock: Clock) -> Setup:
    """The scheduler that the file describes. Raises ConfigError."""
    try:
        configuration = parsed(content(file))
        setup = made(configuration, clock)
    except ConfigError as error:
        raise ConfigError(f"scheduler configuration {file}: {error}", error.hint) from None
    if fields := list(without_effect(configuration)):
        log.warning("scheduler configuration without effect", extra={"fields": ", ".join(fields)})
    return setup


def made(configuration: KubeSchedulerConfiguration, clock: Clock) -> Setup:
    """The scheduler that is described. Raises ConfigError."""
    ignored = [
        resource.name
        for extender in configuration.extenders
        for resource in extender.managed_resources
        if resource.ignored_by_scheduler
    ]
    making = Making(outside=offered(), watch=Watch(clock), ignored=ignored)
    profiles = configuration.profiles or (KubeSchedulerProfile(),)
    return Setup(
        profiles=tuple(
            making.profile(profile, f"profiles[{index}]") for index, profile in enumerate(profiles)
        ),
        first_rest=float(configuration.pod_initial_backoff_seconds),
        longest_rest=float(configuration.pod_max_backoff_seconds),
        extenders=extenders(configuration.extenders),
    )


def without_effect(configuration: KubeSchedulerConfiguration) -> Iterator[str]:
    """The fields that say something, and change nothing here."""
    if configuration.parallelism != KubeSchedulerConfiguration().parallelism:
        yield "parallelism"
    election = configuration.leader_election
    if election is not None and election.leader_elect:
        yield "leaderElection"
    if configuration.client_connection is not None:
        yield "clientConnection"
    if configuration.enable_profiling:
        yield "enableProfiling"
    if configuration.enable_contention_profiling:
        yield "enableContentionProfiling"
    if configuration.delay_cache_until_active:
        yield "delayCacheUntilActive"
    yield from _share(configuration.percentage_of_nodes_to_score, "percentageOfNodesToScore")
    for index, profile in enumerate(configuration.profiles):
        yield from _of_profile(profile, f"profiles[{index}]")
    for index, extender in enumerate(configuration.extenders):
        if extender.preempt_verb:
            yield f"extenders[{index}].preemptVerb"


def _of_profile(profile: KubeSchedulerProfile, path: str) -> Iterator[str]:
    field = f"{path}.percentageOfNodesToScore"
    yield from _share(profile.percentage_of_nodes_to_score, field)
    for point, chosen in sets_of(profile.plugins):
        if point not in POINTS and point != "multiPoint" and (chosen.enabled or chosen.disabled):
            yield f"{path}.plugins.{point}"
    taking_none = {plugin.name for plugin in PLUGINS} - FACTORIES.keys()
    for index, entry in enumerate(profile.plugin_config):
        if entry.name in taking_none:
            yield f"{path}.pluginConfig[{index}]"


def _share(value: int | None, path: str) -> Iterator[str]:
    """All nodes are always looked at."""
    if value is not None and value != 100:
        yield path
