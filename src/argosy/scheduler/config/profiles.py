"""Profiles as the scheduler runs them: the plugins that a configuration chose, as it wants them.

Upstream's names count. Where one of its plugins is several here they go together, and what is no
plugin here (how waiting pods are sorted, who binds) can be named, and stays what it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint
from typing import Any

from argosy.scheduler.config.forms import (
    API_VERSION,
    KubeSchedulerProfile,
    PluginRef,
)
from argosy.scheduler.config.parts import has, without
from argosy.scheduler.config.points import POINTS, Chosen, chosen
from argosy.scheduler.config.reading import refuse
from argosy.scheduler.framework import Plugin
from argosy.scheduler.plugins.table import ELSEWHERE, FACTORIES, PART_OF, PLUGINS
from argosy.scheduler.profiles import DEFAULT_SCHEDULER, Profile
from argosy.scheduler.thirdparty.entrypoints import LoadError, loaded
from argosy.scheduler.thirdparty.guard import guarded
from argosy.scheduler.thirdparty.watch import Watch

IGNORED = "ignoredResources"


@dataclass(frozen=True, slots=True)
class Making:
    """Makes profiles. `outside` are third parties' plugins, `ignored` the resources of extenders
    that the scheduler is not to count."""

    outside: Mapping[str, EntryPoint]
    watch: Watch
    ignored: Sequence[str] = ()

    def profile(self, given: KubeSchedulerProfile, path: str) -> Profile:
        """The profile that stands at `path`. Raises ConfigError."""
        name = given.scheduler_name or DEFAULT_SCHEDULER
        plugins = self._plugins(given, path)
        found = chosen(
            given.plugins,
            _defaults(),
            lambda plugin, point: _extends(plugins.get(plugin), plugin, point),
            f"{path}.plugins",
            name,
        )
        refuse([str(fault) for fault in found.faults])
        return Profile(name, tuple(_arranged(plugins, found)))

    def _plugins(self, given: KubeSchedulerProfile, path: str) -> dict[str, tuple[Plugin, ...]]:
        """What each name stands for that the profile may use, made of what the profile says."""
        args = self._args(given, path)
        errors: list[str] = []
        found: dict[str, tuple[Plugin, ...]] = {}
        for plugin in PLUGINS:
            name = PART_OF.get(plugin.name, plugin.name)
            found[name] = (*found.get(name, ()), plugin)
        for name, factory in FACTORIES.items():
            if name not in args and (name in found or name not in _named(given)):
                continue
            where, told = args.get(name, (f"{path}.pluginConfig", {}))
            try:
                made = factory(told)
            except ValueError as error:
                errors.append(f"{where}.{error}")
                continue
            parts = found.get(name, (made,))
            found[name] = tuple(made if part.name == name else part for part in parts)
        for name in sorted(_named(given) - found.keys() - ELSEWHERE.keys()):
            if name in self.outside:
                where, told_args = args.get(name, (f"{path}.plugins", {}))
                try:
                    found[name] = (guarded(loaded(self.outside[name], told_args), self.watch),)
                except LoadError as error:
                    errors.append(f"{where}: loading plugin {name}: {error}")
        refuse(errors)
        return found

    def _args(
        self, given: KubeSchedulerProfile, path: str
    ) -> dict[str, tuple[str, dict[str, Any]]]:
        """What plugins are told, by name, and where that stands."""
        found: dict[str, tuple[str, dict[str, Any]]] = {}
        for index, entry in enumerate(given.plugin_config):
            where = f"{path}.pluginConfig[{index}].args"
            args = dict(entry.args)
            kind = (args.pop("apiVersion", API_VERSION), args.pop("kind", f"{entry.name}Args"))
            if kind != (API_VERSION, f"{entry.name}Args") and entry.name in FACTORIES:
                text = f"args for plugin {entry.name} were not of type {entry.name}Args"
                refuse([f"{where}: {text}, got {kind[1]} of {kind[0]}"])
            found[entry.name] = (where, args)
        if self.ignored:
            where, args = found.get(FIT, (f"{path}.pluginConfig", {}))
            own = args.get(IGNORED, [])
            if isinstance(own, list):  # else it is for the plugin to say what is wrong
                found[FIT] = (where, {**args, IGNORED: [*own, *self.ignored]})
        return found


FIT = "NodeResourcesFit"
CHOOSABLE = ("filter", "score", "preEnqueue", "postFilter")


def _named(given: KubeSchedulerProfile) -> set[str]:
    sets = (getattr(given.plugins, name) for name in given.plugins.__struct_fields__)
    return {entry.name for one in sets for entry in one.enabled}


def _defaults() -> list[PluginRef]:
    """What is asked where nobody chooses: all of ours, each with its weight."""
    weights: dict[str, int] = {}
    for plugin in PLUGINS:
        name = PART_OF.get(plugin.name, plugin.name)
        weights[name] = max(weights.get(name, 1), plugin.weight)
    names = {**weights, **{name: 1 for name in ELSEWHERE if name not in weights}}
    return [PluginRef(name=name, weight=weight) for name, weight in names.items()]


def _extends(parts: Sequence[Plugin] | None, name: str, point: str) -> bool | None:
    if parts is None:
        return point not in POINTS or point in ELSEWHERE[name] if name in ELSEWHERE else None
    return point not in POINTS or any(has(part, point) for part in parts)


def _arranged(plugins: Mapping[str, Sequence[Plugin]], found: Chosen) -> Iterator[Plugin]:
    """The chosen plugins in the order of the filters, with what was chosen of each."""
    order = (name for point in CHOOSABLE for name in found.names[point])
    for name in dict.fromkeys(order):
        for part in plugins.get(name, ()):
            weighed = replace(part, weight=found.weights.get(name, 1))
            for point in CHOOSABLE:
                if name not in found.names[point]:
                    weighed = without(weighed, point)
            yield weighed
