"""How many seats a level could have used: integrated over time, and smoothed over many periods.

Source: apiserver's `util/flowcontrol`, integrator and seat demand statistics.
"""

from dataclasses import dataclass
from math import sqrt

SMOOTHING = 0.977
"""Of each period's old value this much is kept: half of it is gone after five minutes."""


class Integrator:
    """Follows a number; `taken` says what it was like since the last time."""

    def __init__(self, now: float) -> None:
        self._value = 0.0
        self._restart(now)

    def _restart(self, now: float) -> None:
        self._began = self._at = now
        self._sum = self._squares = 0.0
        self._most = self._value

    def set(self, value: float, now: float) -> None:
        """The number is `value` from now on."""
        self._pass(now)
        self._value = value
        if value > self._most:
            self._most = value

    def _pass(self, now: float) -> None:
        taken = now - self._at
        if taken > 0:
            self._sum += self._value * taken
            self._squares += self._value * self._value * taken
            self._at = now

    def taken(self, now: float) -> tuple[float, float, float, float]:
        """Seconds, average, standard deviation and maximum since the last time."""
        self._pass(now)
        seconds, most = now - self._began, self._most
        average = self._sum / seconds if seconds > 0 else self._value
        variance = self._squares / seconds - average * average if seconds > 0 else 0.0
        self._restart(now)
        return seconds, average, sqrt(max(0.0, variance)), most


@dataclass(slots=True)
class Demand:
    """What a level asked for in the last period; `smoothed` remembers those before."""

    most: int = 0
    average: float = 0.0
    deviation: float = 0.0
    smoothed: float = 0.0

    def update(self, integrator: Integrator, now: float) -> None:
        """Take in another period."""
        seconds, average, deviation, most = integrator.taken(now)
        self.most = round(most)
        if seconds <= 0:
            return
        self.average, self.deviation = average, deviation
        envelope = average + deviation
        kept = SMOOTHING * self.smoothed + (1 - SMOOTHING) * envelope
        self.smoothed = max(envelope, kept)
