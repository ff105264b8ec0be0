"""Third parties' plugins, as installed packages offer them.

An entry point of the group `argosy.scheduler.plugins` has the plugin's name, and leads to a
`Plugin`, or to a function that makes one of the arguments that a profile gives. Nothing is loaded
but what a profile names.
"""

from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from argosy.scheduler.faults import shown
from argosy.scheduler.framework import Plugin

GROUP = "argosy.scheduler.plugins"


class LoadError(Exception):
    """The plugin can't be had; the text says why."""


def offered() -> dict[str, EntryPoint]:
    """What installed packages offer, by the plugin's name; of several the first on the path."""
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=GROUP):
        found.setdefault(entry.name, entry)
    return found


def loaded(entry: EntryPoint, args: Mapping[str, Any]) -> Plugin:
    """The plugin, made of `args` where it takes any. Raises LoadError."""
    try:
        made = entry.load()
        if not isinstance(made, Plugin):
            made = made(args)
        elif args:
            raise LoadError("it takes no args")
    except LoadError:
        raise
    except Exception as error:  # whatever a stranger's module does when it is read
        raise LoadError(shown(error)) from error
    if not isinstance(made, Plugin):
        raise LoadError(f"{entry.value} gives no Plugin, but {type(made).__name__}")
    return replace(made, name=entry.name)
