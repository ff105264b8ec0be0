"""EventRateLimit: so many events a second, of all, of a namespace, of a user, about one thing.

Each limit has buckets: one, or one for each of the keys that were seen last. Off by default, as
upstream has it; events of both API groups count here. Source: upstream's plugin of this name.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from argosy.apiserver.admission.configuration import EventLimit
from argosy.apiserver.admission.rule import Attributes, Json
from argosy.base.clock import Clock
from argosy.base.errors import FieldError, StatusError, invalid_value, not_supported

REMEMBERED: Final = 4096
_OBJECT: Final = ("kind", "namespace", "name", "uid", "apiVersion")


@dataclass(slots=True)
class Bucket:
    """What may still come, as of a moment (the clock's seconds)."""

    left: float
    at: float


@dataclass(frozen=True, slots=True)
class Limiter:
    """One limit, and its buckets."""

    limit: EventLimit
    clock: Clock
    buckets: dict[str, Bucket] = field(default_factory=dict)

    def takes(self, attributes: Attributes) -> str:
        """'' where one more event may come, else why not."""
        key = KEYS[self.limit.type](attributes)
        bucket = self._bucket(key)
        if bucket.left < 1:
            return f"limit reached on type {self.limit.type} for key {key}"
        bucket.left -= 1
        return ""

    def _bucket(self, key: str) -> Bucket:
        now = self.clock.monotonic()
        bucket = self.buckets.pop(key, None)
        if bucket is None:
            bucket = Bucket(self.limit.burst, now)
            if len(self.buckets) >= (self.limit.cache_size or REMEMBERED):
                del self.buckets[next(iter(self.buckets))]  # the one unused for longest
        self.buckets[key] = bucket
        bucket.left = min(bucket.left + (now - bucket.at) * self.limit.qps, self.limit.burst)
        bucket.at = now
        return bucket


@dataclass(frozen=True, slots=True)
class EventRateLimit:
    """The rule."""

    limiters: tuple[Limiter, ...]

    @classmethod
    def of(cls, limits: Sequence[EventLimit], clock: Clock) -> "EventRateLimit":
        """Of limits without faults."""
        return cls(tuple(Limiter(limit, clock) for limit in limits))

    def __call__(self, attributes: Attributes) -> None:
        """Raises StatusError 429."""
        if attributes.dry_run:
            return
        # An attempt that is made again is the same event.
        wrong = attributes.answers.once("EventRateLimit", lambda: self._refusals(attributes))
        if wrong:
            shown = wrong[0] if len(wrong) == 1 else f"[{', '.join(wrong)}]"
            raise StatusError(429, "TooManyRequests", f"Too many requests: {shown}")

    def _refusals(self, attributes: Attributes) -> list[str]:
        """All limits are asked, also where the first refuses."""
        return list(dict.fromkeys(filter(None, (one.takes(attributes) for one in self.limiters))))


def faults(limits: Sequence[EventLimit]) -> Iterator[FieldError]:
    """What is wrong with them, in upstream's words."""
    if not limits:
        yield invalid_value("limits", None, "must not be empty")
    for i, limit in enumerate(limits):
        path = f"limits[{i}]"
        if limit.type not in KEYS:
            yield not_supported(f"{path}.type", limit.type, tuple(KEYS))
        if limit.burst <= 0:
            yield invalid_value(f"{path}.burst", limit.burst, "must be positive")
        if limit.qps <= 0:
            yield invalid_value(f"{path}.qps", limit.qps, "must be positive")
        if limit.type != "Server" and limit.cache_size < 0:
            yield invalid_value(f"{path}.cacheSize", limit.cache_size, "must not be negative")


def _about(attributes: Attributes) -> str:
    new = attributes.new
    source = _part(new, "source", "deprecatedSource")
    about = _part(new, "involvedObject", "regarding")
    where = (source.get("component"), source.get("host"))
    return "".join(str(text or "") for text in (*where, *(about.get(name) for name in _OBJECT)))


def _part(event: Json, *names: str) -> Json:
    return next((event[name] for name in names if event.get(name)), {})


KEYS: Final[Mapping[str, Callable[[Attributes], str]]] = {
    "Namespace": lambda attributes: attributes.target.namespace,
    "Server": lambda attributes: "",
    "SourceAndObject": _about,
    "User": lambda attributes: attributes.user.name,
}
