"""What a scheduler is made of: its profiles, and how long a pod rests that could not be placed.

A profile is a name, by which pods choose it, and the plugins that decide for those pods. `config`
makes them of a KubeSchedulerConfiguration; without one there is the profile of all plugins.
"""

from dataclasses import dataclass

from argosy.scheduler.extenders.extender import Extender
from argosy.scheduler.framework import Plugin
from argosy.scheduler.plugins.table import PLUGINS
from argosy.scheduler.queue import FIRST_REST, LONGEST_REST
from argosy.scheduler.reserving.book import PATIENCE

DEFAULT_SCHEDULER = "default-scheduler"


@dataclass(frozen=True, slots=True)
class Profile:
    """The plugins that decide on pods with this `spec.schedulerName`."""

    name: str
    plugins: tuple[Plugin, ...] = PLUGINS


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """All of a scheduler; rests are seconds. Extenders are asked whichever the profile is.
    `patience`: for how many seconds room is reserved for a gang at first; 0: for none."""

    profiles: tuple[Profile, ...] = (Profile(DEFAULT_SCHEDULER),)
    first_rest: float = FIRST_REST
    longest_rest: float = LONGEST_REST
    patience: float = PATIENCE
    extenders: tuple[Extender, ...] = ()


STANDARD = Setup()
"""As kube-scheduler without a configuration."""
