"""Kubernetes' feature gates: what each one is in which minor, and which of them are open.

`gates.txt` has a line for each gate: its name and its steps, then the gates that it stands on. A
step such as `1.33B!` says since which minor, in which stage (a, b, g, d: alpha, beta, generally
available, deprecated), whether it is open unless someone says so (a capital), and whether nobody
may say otherwise (`!`). A line is taken apart when its gate is first asked for. Gates that were
gone before 1.36 are not there: what they guarded is there in every minor that has it. Source:
Kubernetes' tables of versioned features; KEP-4330 for emulated versions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

Stage = Literal["Alpha", "Beta", "GA", "Deprecated"]

OPENED = frozenset(
    {
        "DRAConsumableCapacity",
        "EvictionRequestAPI",
        "GenericWorkload",
        "TopologyAwareWorkloadScheduling",
    }
)
"""Closed upstream, in some minors, and open here by default: what Argosy stands on."""
ALL_OF_STAGE: Mapping[str, Stage] = {"AllAlpha": "Alpha", "AllBeta": "Beta"}
"""The switches for all gates of a stage of which nothing else is said."""

_FILE = Path(__file__).parent / "gates.txt"
_STAGES: Mapping[str, Stage] = {"a": "Alpha", "b": "Beta", "g": "GA", "d": "Deprecated"}


@dataclass(frozen=True, slots=True)
class Step:
    """What a gate is from a minor on."""

    since: str
    stage: Stage
    open: bool  # unless someone says so
    locked: bool = False


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate: its steps by rising minors, and the gates that must be open if it is."""

    steps: tuple[Step, ...]
    needs: tuple[str, ...] = ()

    def at(self, minor: str) -> Step | None:
        """What it is in `minor`; None in one that does not have it yet."""
        number = _number(minor)
        reached = [step for step in self.steps if _number(step.since) <= number]
        return reached[-1] if reached else None


@dataclass(frozen=True)
class Gates:
    """The gates as they stand in `minor`, if `asked` is what someone said of them."""

    minor: str
    asked: Mapping[str, bool] = field(default_factory=dict)

    def open(self, name: str) -> bool:
        """Whether a gate is open. Raises KeyError for one that is not known."""
        step = gate(name).at(self.minor)
        if step is None:
            return False
        if name in self.asked:
            return self.asked[name]
        return self._of_stage(step.stage, step.open or self._opened(name))

    def _opened(self, name: str) -> bool:
        """Whether it is open here where nothing is said; not without what it needs."""
        return name in OPENED and all(map(self.open, gate(name).needs))

    def enabled(self) -> list[tuple[str, str, bool]]:
        """Each gate that the minor has: name, stage as metrics call it ('' is GA), open or not."""
        found = [(name, stage.upper(), self.asked.get(name, False)) for name, stage in _ALL]
        for name in names():
            if (step := gate(name).at(self.minor)) is not None:
                stage = "" if step.stage == "GA" else step.stage.upper()
                found.append((name, stage, self.open(name)))
        return found

    def complaints(self) -> list[str]:
        """What is wrong with what was asked for, in upstream's words."""
        found = [text for name, wanted in self.asked.items() if (text := self._wrong(name, wanted))]
        return found or self._unsupported()

    def warnings(self) -> list[str]:
        """What is to be said of what was asked for."""
        found = []
        for name in self.asked.keys() - ALL_OF_STAGE.keys():
            step = gate(name).at(self.minor)
            if step is not None and step.stage in ("GA", "Deprecated"):
                stage = step.stage if step.stage == "GA" else step.stage.lower()
                found.append(
                    f"setting {stage} feature gate {name}={str(self.asked[name]).lower()}. "
                    "It will be removed in a future release."
                )
        return sorted(found)

    def _of_stage(self, stage: Stage, default: bool) -> bool:
        return next((self.asked[n] for n, of in _ALL if of == stage and n in self.asked), default)

    def _wrong(self, name: str, wanted: bool) -> str:
        if name in ALL_OF_STAGE:
            return ""
        saying = f"cannot set feature gate {name} to {str(wanted).lower()}, feature is"
        step = gate(name).at(self.minor)
        if step is None:
            return f"{saying} PreAlpha at emulated version {self.minor}"
        if step.locked and step.open is not wanted:
            return f"{saying} locked to {str(step.open).lower()}"
        return ""

    def _unsupported(self) -> list[str]:
        found = []
        for name in names():
            needs = gate(name).needs
            if needs and self.open(name):
                closed = [need for need in needs if not self.open(need)]
                if closed:
                    missing = " ".join(closed)
                    found.append(
                        f"{name} is enabled, but depends on features that are disabled: [{missing}]"
                    )
        return found


_ALL = tuple(ALL_OF_STAGE.items())


def names() -> tuple[str, ...]:
    """All gates' names, in order."""
    return tuple(_lines())


def known(name: str) -> bool:
    """Whether there is such a gate."""
    return name in _lines()


@cache
def gate(name: str) -> Gate:
    """A gate. Raises KeyError for one that is not known."""
    steps, _, needs = _lines()[name].partition(" < ")
    return Gate(tuple(_step(word) for word in steps.split()), tuple(needs.split()))


@cache
def _lines() -> Mapping[str, str]:
    lines = _FILE.read_text(encoding="ascii").splitlines()
    return {name: rest for name, _, rest in (line.partition(" ") for line in lines)}


def _step(word: str) -> Step:
    since, letter = word.rstrip("!")[:-1], word.rstrip("!")[-1]
    return Step(since, _STAGES[letter.lower()], letter.isupper(), word.endswith("!"))


def _number(minor: str) -> tuple[int, ...]:
    return tuple(int(part) for part in minor.split("."))
