"""Which plugins are asked at which extension point, and in which order, as kube-scheduler has it.

Names alone: a profile's choice is laid over the defaults (all of them at `multiPoint`), and then
`multiPoint` is spread over the points for which each plugin has a function. At a point come first
those that the profile names there and the defaults have too, then the others of `multiPoint`, then
the rest of the profile's.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from argosy.base.errors import FieldError, duplicate, invalid_value, missing_reference
from argosy.scheduler.config.checks import sets_of
from argosy.scheduler.config.forms import PluginRef, Plugins, PluginSet

POINTS = ("preEnqueue", "queueSort", "filter", "postFilter", "score", "bind")
"""The points of which something can be chosen here; a plugin's other functions go with these."""

Extends = Callable[[str, str], bool | None]
"""Whether the plugin of that name has a function for the point; None where there is no such."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The names at each of `POINTS`, in order, the weights of scores, and what is wrong."""

    names: dict[str, list[str]] = field(default_factory=dict)
    weights: dict[str, int] = field(default_factory=dict)
    faults: list[FieldError] = field(default_factory=list)


def chosen(
    plugins: Plugins, defaults: Sequence[PluginRef], extends: Extends, path: str, scheduler: str
) -> Chosen:
    """What comes of a profile's `plugins`, which stand at `path`."""
    found = Chosen()
    for point, given in sets_of(plugins):
        found.faults.extend(_faults(given, point, extends, f"{path}.{point}"))
    if found.faults:
        return found
    everywhere = _merged(defaults, plugins.multi_point)
    for point, given in sets_of(plugins):
        if point in POINTS:
            found.names[point] = _spread(everywhere, given, point, extends)
    for entry in (*plugins.score.enabled, *everywhere):
        found.weights.setdefault(entry.name, entry.weight or 1)
    found.faults.extend(_missing(found, path, scheduler))
    return found


def _faults(given: PluginSet, point: str, extends: Extends, path: str) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, entry in enumerate(given.enabled):
        where = f"{path}.enabled[{index}]"
        known = extends(entry.name, point)
        if known is None:
            yield missing_reference(where, entry.name, "plugin does not exist")
        elif not known:
            yield invalid_value(where, entry.name, f"plugin does not extend {point}")
        if entry.name in seen:
            yield duplicate(where, entry.name, "plugin is already registered")
        seen.add(entry.name)


def _merged(defaults: Sequence[PluginRef], custom: PluginSet) -> list[PluginRef]:
    """The defaults that are left, each as the profile has it where it names it; then the rest."""
    without = {entry.name for entry in custom.disabled}
    renewed = {entry.name: entry for entry in custom.enabled}
    kept = [] if "*" in without else [it for it in defaults if it.name not in without]
    names = {entry.name for entry in kept}
    rest = [entry for entry in custom.enabled if entry.name not in names]
    return [*(renewed.get(entry.name, entry) for entry in kept), *rest]


def _spread(
    everywhere: Sequence[PluginRef], given: PluginSet, point: str, extends: Extends
) -> list[str]:
    own = [entry.name for entry in given.enabled]
    without = {entry.name for entry in given.disabled}
    if "*" in without:
        return own
    fitting = [entry.name for entry in everywhere if extends(entry.name, point)]
    common = [name for name in fitting if name not in without]
    again = [name for name in own if name in common]
    others = [name for name in common if name not in own]
    return [*again, *others, *(name for name in own if name not in again)]


def _missing(found: Chosen, path: str, scheduler: str) -> Iterator[FieldError]:
    sorters = len(found.names["queueSort"])
    if sorters != 1:
        detail = (
            "only one queue sort plugin required for profile with scheduler name "
            f'"{scheduler}", but got {sorters}'
        )
        yield invalid_value(f"{path}.queueSort", sorters, detail)
    if not found.names["bind"]:
        detail = f'at least one bind plugin is needed for profile with scheduler name "{scheduler}"'
        yield invalid_value(f"{path}.bind", 0, detail)
