"""Metrics as text: Prometheus' own format, and OpenMetrics for whoever asks for it.

Labels and bucket bounds are written as Prometheus' Go library writes them, so that rules which
compare them (`le="5"`) find what they know.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"

Values = tuple[str, ...]
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", '"': '\\"'})


@dataclass(slots=True)
class Family:
    """One metric: its samples by the values of its labels. A counter's name ends in `_total`."""

    name: str
    type: Literal["counter", "gauge"]
    help: str
    labels: Values = ()
    samples: dict[Values, float] = field(default_factory=dict)

    def add(self, values: Values, amount: float) -> None:
        """Add to a sample."""
        self.samples[values] = self.samples.get(values, 0) + amount

    def lines(self, *, canonical: bool) -> Iterator[str]:
        """Its samples as text."""
        for values, amount in self.samples.items():
            yield f"{self.name}{_braced(_pairs(self.labels, values))} {_number(amount)}\n"


@dataclass(slots=True)
class Histogram:
    """One metric with buckets: how many fell in each (not added up), and their sum."""

    name: str
    help: str
    bounds: Sequence[float]
    labels: Values = ()
    samples: dict[Values, tuple[list[int], float]] = field(default_factory=dict)

    def add(self, values: Values, counts: Sequence[int], total: float) -> None:
        """Add to a sample; the last of `counts` is of what is above all bounds."""
        known, before = self.samples.get(values, ([0] * len(counts), 0.0))
        both = [one + other for one, other in zip(known, counts, strict=True)]
        self.samples[values] = both, before + total

    def lines(self, *, canonical: bool) -> Iterator[str]:
        """Its samples as text; `canonical`: bounds as OpenMetrics has them."""
        bounds = [*(_bound(bound, canonical=canonical) for bound in self.bounds), "+Inf"]
        for values, (counts, total) in self.samples.items():
            pairs = _pairs(self.labels, values)
            lead = f'{self.name}_bucket{{{pairs}{"," * bool(pairs)}le="'
            for bound, count in zip(bounds, accumulate(counts), strict=True):
                yield f'{lead}{bound}"}} {count}\n'
            yield f"{self.name}_sum{_braced(pairs)} {_number(total)}\n"
            yield f"{self.name}_count{_braced(pairs)} {sum(counts)}\n"


def render(families: Iterable[Family | Histogram], *, open_metrics: bool) -> bytes:
    """All of them as text; those without samples are left out."""
    pieces: list[str] = []
    for family in families:
        if not family.samples:
            continue
        name, kind = family.name, "histogram"
        if isinstance(family, Family):
            kind = family.type
            if open_metrics and kind == "counter":
                name = name.removesuffix("_total")
        pieces.append(f"# HELP {name} {family.help}\n# TYPE {name} {kind}\n")
        pieces += family.lines(canonical=open_metrics)
    if open_metrics:
        pieces.append("# EOF\n")
    return "".join(pieces).encode()


def _pairs(labels: Values, values: Values) -> str:
    return ",".join(
        f'{label}="{value.translate(_ESCAPES)}"'
        for label, value in zip(labels, values, strict=True)
    )


def _braced(pairs: str) -> str:
    return f"{{{pairs}}}" if pairs else ""


def _bound(bound: float, *, canonical: bool) -> str:
    text = f"{bound:g}"
    return f"{text}.0" if canonical and text.isdigit() else text


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
