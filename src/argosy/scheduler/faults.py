"""What a pod is told when deciding on it failed: whose fault it was, in few words.

Nobody can look for a node with a broken plugin, so the pod waits and is tried again; the others go
on. Third parties' plugins are named by what watches them (`thirdparty.guard`), our own ones by
where the error came from.
"""

import traceback
from types import FrameType

from argosy.scheduler.framework import Plugin

SCHEDULER_ERROR = "SchedulerError"
"""The reason of a condition, as kube-scheduler's."""

LONGEST = 200
"""Characters that a condition shows of it."""

_ROOM = "argosy.scheduler.plugins."


class NamedError(Exception):
    """An error whose text says by itself whose fault it is."""


class PluginError(NamedError):
    """A plugin that threw, hung or answered nonsense; the text says which one, and what."""

    def __init__(self, plugin: str, text: str) -> None:
        super().__init__(f"plugin {plugin} {text}")


class HungError(PluginError):
    """A plugin that was stopped while it looked at a pod: that pod is not tried again soon."""


def told(error: Exception) -> str:
    """The error in the words of a condition."""
    if isinstance(error, NamedError):
        text = str(error)
    else:
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        names = [name for frame in frames if (name := _plugin(frame))]
        text = f"{f'plugin {names[-1]}' if names else 'deciding'} failed: {shown(error)}"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def shown(error: BaseException) -> str:
    """Kind and text of an error, on one line; even of one whose text can't be had."""
    try:
        text = " ".join(str(error).split())
    except Exception:
        text = ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _plugin(frame: FrameType) -> str:
    """The plugin whose module runs in the frame, if it is one of ours."""
    found = frame.f_globals.get("PLUGIN")
    ours = str(frame.f_globals.get("__name__")).startswith(_ROOM)
    return found.name if ours and isinstance(found, Plugin) else ""
