"""What nodes shall be simulated: `1000x(cpu=64,memory=512Gi,gpu=8xH100),20x(cpu=8)`.

A group is so many nodes that are alike, in words of its own: what they have, and how they are
told. Whoever reads the words gets a `Group`, or a ValueError that says in which group, and at
which of its words, something is wrong. `nodes` makes objects of it.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from argosy.api import names
from argosy.api.validation.scheduling import taints as taint_faults
from argosy.base import quantity
from argosy.node.gpus import MODELS, SimulatedGPU, parse_gpus
from argosy.node.machine import MOST_PODS
from argosy.node.simulated.runs import rate

MOST_NODES: Final = 20_000
MOST_GROUPS: Final = 64
MOST_DEVICES: Final = 160_000
MOST_ZONES: Final = 1000
LONGEST: Final = 16 * 1024
"""Characters of all groups together."""
AMD: Final = frozenset(model for model in MODELS if model.startswith("MI"))
GRAMMAR: Final = "COUNTx(KEY=VALUE,…), such as 1000x(cpu=64,memory=512Gi,gpu=8xH100)"
DEFAULTS: Final[Mapping[str, str]] = {
    "cpu": "32",
    "memory": "256Gi",
    "ephemeral-storage": "1Ti",
    "pods": str(MOST_PODS),
}
_GROUP: Final = re.compile(r"(\d{1,9})x\((.*)\)", re.ASCII | re.DOTALL)
_MOST: Final[Mapping[str, int]] = {"cpu": 10**6, "pods": 10**4}
_SHOWN = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """So many nodes that are alike. `words` are those between the parentheses, in order;
    `resources` what each node has; `failures` the share of its pods' runs that fail."""

    index: int
    count: int
    words: str
    resources: Mapping[str, str]
    gpus: tuple[SimulatedGPU, ...] = ()
    zones: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Mapping[str, str], ...] = ()
    failures: float = 0.0


def parse_groups(texts: Iterable[str]) -> tuple[Group, ...]:
    """The groups of one flag or several. Raises ValueError with a text for people."""
    given = list(texts)
    if sum(map(len, given)) > LONGEST:
        raise ValueError(f"more than {LONGEST} characters")
    parts = [part for text in given for part in _pieces(text)]
    if len(parts) > MOST_GROUPS:
        raise ValueError(f"{len(parts)} groups of nodes: at most {MOST_GROUPS} can be simulated")
    groups = tuple(_group(index, part) for index, part in enumerate(parts))
    for most, what, found in (
        (MOST_NODES, "nodes", sum(group.count for group in groups)),
        (MOST_DEVICES, "GPUs", sum(group.count * len(group.gpus) for group in groups)),
    ):
        if found > most:
            raise ValueError(f"{found} {what}: at most {most} can be simulated")
    return groups


def read_words(words: str) -> Group:
    """One node as `words` tell it. Raises ValueError."""
    return _group(0, f"1x({words})")


def _group(index: int, text: str) -> Group:
    match = _GROUP.fullmatch(text)
    if match is None:
        raise ValueError(f"{_short(text)} is no group of nodes: expected {GRAMMAR}")
    try:
        count = int(match[1])
        if not 1 <= count <= MOST_NODES:
            raise ValueError(f"the count must be between 1 and {MOST_NODES}")
        found = _told(match[2])
        bare = Group(index=index, count=count, words=_ordered(found), resources=DEFAULTS)
        return _with_all(bare, found)
    except ValueError as error:
        raise ValueError(f"{_short(text)}: {error}") from None


def _told(words: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in _pieces(words) if words.strip() else ():
        key, equals, value = (part.strip() for part in word.partition("="))
        if not (key and equals and value):
            raise ValueError(f"{_short(word)} is not KEY=VALUE")
        if key in found:
            raise ValueError(f"{_short(key)} is given twice")
        found[key] = value
    return found


def _ordered(found: Mapping[str, str]) -> str:
    return ",".join(f"{key}={found[key]}" for key in sorted(found))


def _with_all(group: Group, found: Mapping[str, str]) -> Group:
    for key, value in found.items():
        reader = READERS.get(key)
        if reader is None and "/" not in key:
            known = ", ".join(sorted(READERS))
            raise ValueError(
                f"{_short(key)} is unknown; known are {known}, and extended resources "
                "such as example.com/fpga"
            )
        try:
            group = reader(group, value) if reader else _extended(group, key, value)
        except ValueError as error:
            raise ValueError(f"{_short(key)}: {error}") from None
    return group


def _amount(name: str) -> Callable[[Group, str], Group]:
    def read(group: Group, value: str) -> Group:
        amount, most = quantity.parse(value), _MOST.get(name, 2**60)
        if not 0 < amount <= most:
            raise ValueError(f"{_short(value)} must be greater than 0 and at most {most}")
        parts = amount * (1000 if name == "cpu" else 1)
        if parts != parts.to_integral_value():
            raise ValueError(f"{_short(value)} is finer than what is counted of it")
        return _having(group, {name: value})

    return read


def _extended(group: Group, name: str, value: str) -> Group:
    if faults := names.qualified_faults(name):
        raise ValueError("; ".join(faults))
    prefix = name.partition("/")[0]
    if prefix == "kubernetes.io" or prefix.endswith(".kubernetes.io"):
        raise ValueError("Kubernetes' own names are no extended resources")
    if name in group.resources:
        raise ValueError("gpu= gives it already")
    return _having(group, {name: str(_number(value, 10**6))})


def _gpus(group: Group, value: str) -> Group:
    gpus = parse_gpus(value)
    name = f"{vendor(gpus[0].model)}/gpu"
    if name in group.resources:
        raise ValueError(f"{name} gives them already")
    return replace(_having(group, {name: str(len(gpus))}), gpus=gpus)


def _zones(group: Group, value: str) -> Group:
    return replace(group, zones=_number(value, MOST_ZONES))


def _labels(group: Group, value: str) -> Group:
    found = {}
    for part in value.split(";"):
        key, equals, text = (item.strip() for item in part.partition("="))
        if not equals:
            raise ValueError(f"{_short(part)} is not KEY=VALUE")
        found[key] = text
    if faults := names.labels(found, "labels"):
        raise ValueError(faults[0].text)
    return replace(group, labels=found)


def _taints(group: Group, value: str) -> Group:
    found: list[dict[str, str]] = []
    for part in value.split(";"):
        told, colon, effect = (item.strip() for item in part.rpartition(":"))
        if not colon:
            raise ValueError(f"{_short(part)} is not KEY[=VALUE]:EFFECT")
        key, _, text = told.partition("=")
        found.append({"key": key, "value": text, "effect": effect})
    for fault in taint_faults(found, "taints"):
        raise ValueError(fault.text)
    plain = ({key: text for key, text in taint.items() if text} for taint in found)
    return replace(group, taints=tuple(plain))


def _failures(group: Group, value: str) -> Group:
    return replace(group, failures=rate(value))


READERS: Final[Mapping[str, Callable[[Group, str], Group]]] = {
    "cpu": _amount("cpu"),
    "ephemeral-storage": _amount("ephemeral-storage"),
    "failure-rate": _failures,
    "gpu": _gpus,
    "labels": _labels,
    "memory": _amount("memory"),
    "pods": _amount("pods"),
    "taints": _taints,
    "zones": _zones,
}


def vendor(model: str) -> str:
    """The domain of whoever makes GPUs of this model."""
    return "amd.com" if model in AMD else "nvidia.com"


def _having(group: Group, more: Mapping[str, str]) -> Group:
    return replace(group, resources={**group.resources, **more})


def _number(value: str, most: int) -> int:
    number = int(value) if re.fullmatch(r"\d{1,9}", value, re.ASCII) else 0
    if not 1 <= number <= most:
        raise ValueError(f"{_short(value)} must be a whole number between 1 and {most}")
    return number


def _pieces(text: str) -> list[str]:
    """What stands between the commas that are in no parentheses. Raises ValueError."""
    found, depth = [""], 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if depth < 0:
            break
        if letter == "," and not depth:
            found.append("")
        else:
            found[-1] += letter
    if depth:
        raise ValueError(f"{_short(text)}: a parenthesis has no other half")
    return [part.strip() for part in found]


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…")
