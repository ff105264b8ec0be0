"""Feature gates and switches of API versions, as kube-apiserver's options of these names.

The gates are those that open or close resources; fields behind a gate are not switched. A resource
is served when its version (or itself) is on and its gate, if it has one, is open. What is asked for
one resource counts more than what is asked for its version, and that more than `api/all` and its
like. Source: Kubernetes' "Feature Gates" and `--runtime-config`; KEP-5080 for what needs what.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from argosy.api.resource import Resource

Stage = Literal["Alpha", "Beta", "GA"]


@dataclass(frozen=True, slots=True)
class Step:
    """What a gate is from a minor on: its stage, and whether it is open unless someone says so."""

    since: str
    stage: Stage
    open: bool


GATES: Mapping[str, tuple[Step, ...]] = {
    "ClusterTrustBundle": (
        Step("1.27", "Alpha", False),
        Step("1.33", "Beta", False),
        Step("1.37", "GA", True),
    ),
    "CompositePodGroup": (Step("1.37", "Alpha", False),),
    "EvictionRequestAPI": (Step("1.37", "Alpha", False),),
    "GenericWorkload": (Step("1.35", "Alpha", False), Step("1.37", "Beta", False)),
    "PodCertificateRequest": (
        Step("1.34", "Alpha", False),
        Step("1.35", "Beta", False),
        Step("1.37", "GA", True),
    ),
    "StorageVersionMigrator": (
        Step("1.30", "Alpha", False),
        Step("1.35", "Beta", False),
        Step("1.37", "GA", True),
    ),
}
OPENED = frozenset({"EvictionRequestAPI", "GenericWorkload"})
"""Closed upstream and open here by default: what Argosy stands on."""
ALL_OF_STAGE: Mapping[str, Stage] = {"AllAlpha": "Alpha", "AllBeta": "Beta"}

_MANY: Mapping[str, re.Pattern[str]] = {
    "api/all": re.compile(r".*"),
    "api/ga": re.compile(r"v\d+"),
    "api/beta": re.compile(r"v\d+beta\d+"),
    "api/alpha": re.compile(r"v\d+alpha\d+"),
}
_TRUTH: Mapping[str, bool] = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}


@dataclass(frozen=True, slots=True)
class Switches:
    """Which gates are open, and what was said of versions: `group/version[/resource]` or a class
    of them such as `api/beta`.
    """

    open: frozenset[str]
    versions: Mapping[str, bool]

    def serves(self, resource: Resource) -> bool:
        """Whether `resource` is served."""
        return (not resource.gate or resource.gate in self.open) and self._on(resource)

    def _on(self, resource: Resource) -> bool:
        version = f"{resource.group}/{resource.version}"
        on = resource.on
        for name, pattern in _MANY.items():
            if pattern.fullmatch(resource.version):
                on = self.versions.get(name, on)
        on = self.versions.get(version, on)
        return self.versions.get(f"{version}/{resource.plural}", on)


def switches(
    resources: Iterable[Resource], minor: str, *, feature_gates: str = "", runtime_config: str = ""
) -> Switches:
    """What the options say for `resources` in `minor`. Raises ValueError, in upstream's words."""
    table = tuple(resources)
    asked = parse_gates(feature_gates)
    chosen = Switches(open_gates(minor, asked), parse_runtime_config(runtime_config))
    _check_versions(table, chosen.versions)
    for gate in (name for name, wanted in asked.items() if wanted and name in GATES):
        needed = {item.qualified for item in table if item.gate == gate}
        served = {item.qualified for item in table if item.gate == gate and chosen.serves(item)}
        if missing := sorted(needed - served):
            raise ValueError(f"{gate} is enabled, but needs {', '.join(missing)} to be served")
    return chosen


def parse_gates(text: str) -> dict[str, bool]:
    """`A=true,B=false`. Raises ValueError, also for a gate that is not known."""
    found: dict[str, bool] = {}
    for part in filter(None, text.split(",")):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals:
            raise ValueError(f"missing bool value for {name}")
        if name not in GATES and name not in ALL_OF_STAGE:
            raise ValueError(f"unrecognized feature gate: {name}")
        found[name] = _truth(name, value)
    return found


def open_gates(minor: str, asked: Mapping[str, bool]) -> frozenset[str]:
    """The gates that are open in `minor`; one that it does not have yet is closed."""
    of_stage = {stage: asked[name] for name, stage in ALL_OF_STAGE.items() if name in asked}
    found = set()
    for name, steps in GATES.items():
        reached = [step for step in steps if _number(step.since) <= _number(minor)]
        if not reached:
            continue
        default = of_stage.get(reached[-1].stage, reached[-1].open or name in OPENED)
        if asked.get(name, default):
            found.add(name)
    return frozenset(found)


def parse_runtime_config(text: str) -> dict[str, bool]:
    """`api/all=true,apps/v1=false,apps/v1/jobs`: without a value it is true. Raises ValueError."""
    found: dict[str, bool] = {}
    for part in filter(None, text.split(",")):
        key, _, value = (piece.strip() for piece in part.partition("="))
        if key in _MANY and value not in ("true", "false"):
            raise ValueError(f"invalid value {key}={value}")
        if key.count("/") not in (1, 2):
            raise ValueError(f"runtime-config invalid key {key}")
        found[key] = _truth(key, value) if value else True
    if found == {"api/all": False}:
        raise ValueError("invalid runtime-config with only api/all=false")
    return found


def _check_versions(resources: Iterable[Resource], versions: Mapping[str, bool]) -> None:
    known = {(item.group, item.version) for item in resources}
    for key in versions.keys() - _MANY.keys():
        group, version, resource = (*key.split("/"), "")[:3]
        if group not in {name for name, _ in known}:
            raise ValueError(f"unknown api groups {group}/{version}")
        if (group, version) not in known:
            raise ValueError(f"group version {group}/{version} that has not been registered")
        if resource != resource.lower():
            raise ValueError(
                f"invalid key {key}: group/version/resource and resource is always lowercase "
                f'plural, not "{resource}"'
            )


def _truth(name: str, value: str) -> bool:
    if value not in _TRUTH:
        raise ValueError(f"invalid value of {name}={value}: it is neither true nor false")
    return _TRUTH[value]


def _number(minor: str) -> tuple[int, ...]:
    return tuple(int(part) for part in minor.split("."))
