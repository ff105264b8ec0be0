"""DefaultPreemption: pods of lower priority make room for those that fit nowhere.

The work is done in `preemption`; a profile without this plugin evicts nobody.
"""

from collections.abc import Mapping
from typing import Any

from argosy.scheduler.framework import Plugin, PreemptionTerms

NAME = "DefaultPreemption"
PERCENTAGE = "minCandidateNodesPercentage"
ABSOLUTE = "minCandidateNodesAbsolute"


def configured(args: Mapping[str, Any]) -> Plugin:
    """The plugin with the arguments of a profile. Raises ValueError for broken ones."""
    standard = PreemptionTerms()
    percentage = _whole(args, PERCENTAGE, standard.percentage)
    absolute = _whole(args, ABSOLUTE, standard.absolute)
    if not 0 <= percentage <= 100:
        raise ValueError(f"{PERCENTAGE}: Invalid value: {percentage}: not in valid range [0, 100]")
    if absolute < 0:
        raise ValueError(f"{ABSOLUTE}: Invalid value: {absolute}: not in valid range [0, inf)")
    if percentage == absolute == 0:
        raise ValueError(
            f"{PERCENTAGE}: Invalid value: 0: cannot be zero at the same time as {ABSOLUTE}"
        )
    return Plugin(name=NAME, preemption=PreemptionTerms(percentage=percentage, absolute=absolute))


def _whole(args: Mapping[str, Any], name: str, default: int) -> int:
    value = args.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{name}: Invalid value: {value!r}: must be a whole number")
    return value


PLUGIN = Plugin(name=NAME, preemption=PreemptionTerms())
