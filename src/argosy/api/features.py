"""Feature gates and switches of API versions, as kube-apiserver's options of these names.

A resource is served when its version (or itself) is on and its gate, if it has one, is open. What
is asked for one resource counts more than what is asked for its version, and that more than
`api/all` and its like. What a gate is, `gates` says; which fields one keeps out, `gated`. Source:
Kubernetes' "Feature Gates" and `--runtime-config`; KEP-5080 for what needs what.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from argosy.api.gates import ALL_OF_STAGE, Gates, known
from argosy.api.resource import Resource

_MANY: Mapping[str, re.Pattern[str]] = {
    "api/all": re.compile(r".*"),
    "api/ga": re.compile(r"v\d+"),
    "api/beta": re.compile(r"v\d+beta\d+"),
    "api/alpha": re.compile(r"v\d+alpha\d+"),
}
COMPONENT = "kube"
"""What upstream calls itself where an option may speak to several servers."""
_TRUTH: Mapping[str, bool] = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}


@dataclass(frozen=True, slots=True)
class Switches:
    """Which gates are open, and what was said of versions: `group/version[/resource]` or a class
    of them such as `api/beta`.
    """

    gates: Gates
    versions: Mapping[str, bool]

    def serves(self, resource: Resource) -> bool:
        """Whether `resource` is served."""
        return (not resource.gate or self.gates.open(resource.gate)) and self._on(resource)

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
    chosen = Switches(
        Gates(minor, parse_gates(feature_gates)), parse_runtime_config(runtime_config)
    )
    if chosen.gates.asked and (wrong := chosen.gates.complaints()):
        raise ValueError(_together(wrong))
    _check_versions(table, chosen.versions)
    for gate in (name for name, wanted in chosen.gates.asked.items() if wanted):
        needed = {item.qualified for item in table if item.gate == gate}
        served = {item.qualified for item in table if item.gate == gate and chosen.serves(item)}
        if missing := sorted(needed - served):
            raise ValueError(f"{gate} is enabled, but needs {', '.join(missing)} to be served")
    return chosen


def parse_gates(text: str) -> dict[str, bool]:
    """`A=true,kube:B=false`. Raises ValueError, also for a gate that is not known."""
    found: dict[str, bool] = {}
    for part in filter(None, text.split(",")):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        component, colon, rest = name.partition(":")
        name = rest if colon else name
        if colon and component != COMPONENT:
            raise ValueError(f"component not registered: {component}")
        if not equals:
            raise ValueError(f"missing bool value for {name}")
        wanted = _truth(f"{name}={value}", value)
        if not known(name) and name not in ALL_OF_STAGE:
            raise ValueError(f"unrecognized feature gate: {name}")
        found[name] = wanted
    return found


def parse_emulated_version(text: str, minors: Iterable[str]) -> str:
    """The minor that `1.36` or `kube=1.36` names. Raises ValueError for one not in `minors`."""
    component, equals, rest = (piece.strip() for piece in text.partition("="))
    version = rest if equals else component
    if equals and component != COMPONENT:
        raise ValueError(f"component not registered: {component}")
    numbers = re.fullmatch(r"v?(\d{1,4})\.(\d{1,4})(\.\d{1,9})?", version, re.ASCII)
    if numbers is None:
        raise ValueError(f"could not parse {version[:64]!r} as version")
    if numbers[3] and int(numbers[3][1:]):
        raise ValueError(f"patch version not allowed, got: {COMPONENT}={version}")
    minor = f"{int(numbers[1])}.{int(numbers[2])}"
    if minor not in (served := list(minors)):
        raise ValueError(f"emulation version {minor} is not one of {', '.join(served)}")
    return minor


def parse_runtime_config(text: str) -> dict[str, bool]:
    """`api/all=true,apps/v1=false,apps/v1/jobs`: without a value it is true. Raises ValueError."""
    found: dict[str, bool] = {}
    for part in filter(None, text.split(",")):
        key, _, value = (piece.strip() for piece in part.partition("="))
        if key in _MANY and value not in ("true", "false"):
            raise ValueError(f"invalid value {key}={value}")
        if key.count("/") not in (1, 2):
            raise ValueError(f"runtime-config invalid key {key}")
        found[key] = _truth(f"{key}: {value}", value) if value else True
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


def _truth(what: str, value: str) -> bool:
    if value not in _TRUTH:
        raise ValueError(
            f'invalid value of {what}, err: strconv.ParseBool: parsing "{value}": invalid syntax'
        )
    return _TRUTH[value]


def _together(wrong: list[str]) -> str:
    return wrong[0] if len(wrong) == 1 else f"[{', '.join(wrong)}]"
