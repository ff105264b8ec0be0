"""What a client takes: its `Accept` header, read as kube-apiserver reads it.

A choice is a media type, and perhaps a kind of `meta.k8s.io` that objects shall be turned into
(`as=Table;g=meta.k8s.io;v=v1`). The client's own order of preference counts, after `q`; a choice
that can't be had is passed over, not refused.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
EVERY = (JSON, YAML, PROTOBUF)
"""All media types of objects, in the server's order of preference."""
STREAMS = (f"{JSON};stream=watch", f"{PROTOBUF};stream=watch")
"""The media types of watches."""

TABLE = "Table"
PARTIAL = "PartialObjectMetadata"
PARTIAL_LIST = "PartialObjectMetadataList"
VERSIONS = ("v1", "v1beta1")

LONGEST = 4096
MOST = 64
"""Characters and choices of a header that are read; what comes behind is passed over."""
REMEMBERED = 256
"""Headers of more characters are read anew each time: nobody sends those but attackers."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A media type; `kind` is what objects are turned into, '' for nothing, in `version`."""

    media: str
    kind: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class _Clause:
    """One choice of the header, as it stands there."""

    type: str
    subtype: str
    q: float
    parameters: Mapping[str, str]

    @property
    def rank(self) -> tuple[bool, bool, float]:
        """Wildcards come last."""
        return self.type == "*", self.subtype == "*", -self.q

    def takes(self, media: str) -> bool:
        kind, _, subtype = media.partition("/")
        if self.type == "*":
            return self.subtype == "*"
        return self.type == kind and self.subtype in (subtype, "*")


def chosen(accept: str, plain: tuple[str, ...] = EVERY, turned: bool = True) -> Choice | None:
    """What the client gets; None where it takes nothing that there is.

    `plain` are the media types that objects can be had in; `turned` says that they can be turned
    into kinds of `meta.k8s.io`, which have all media types, but tables no protobuf.
    """
    if not accept:
        return Choice(plain[0])
    read = _remembered if len(accept) <= REMEMBERED else _read
    return read(accept, plain, turned)


def choices(accept: str, plain: tuple[str, ...], turned: bool = True) -> Iterator[Choice]:
    """All that can be had, the best first."""
    for clause in sorted(_clauses(accept), key=lambda clause: clause.rank):
        for media in EVERY:
            if clause.takes(media) and (choice := _had(clause, media, plain, turned)) is not None:
                yield choice


def _read(accept: str, plain: tuple[str, ...], turned: bool) -> Choice | None:
    return next(choices(accept, plain, turned), None)


_remembered = lru_cache(maxsize=256)(_read)


def _had(clause: _Clause, media: str, plain: tuple[str, ...], turned: bool) -> Choice | None:
    """The clause's choice in the media type, if the server has that."""
    given = clause.parameters
    if given.get("stream", "") not in ("", "watch") or given.get("sv", "") not in ("", "v1"):
        return None
    if given.get("stream") and media == YAML:
        return None
    if not given.keys() & {"as", "g", "v"}:
        return Choice(media) if media in plain else None
    kind, version = given.get("as", ""), given.get("v", "")
    if not turned or given.get("g") != "meta.k8s.io" or version not in VERSIONS:
        return None
    if kind in (PARTIAL, PARTIAL_LIST) or (kind == TABLE and media != PROTOBUF):
        return Choice(media, kind, version)
    return None


def _clauses(accept: str) -> Iterator[_Clause]:
    for part in accept[:LONGEST].split(",", MOST)[:MOST]:
        name, *rest = part.split(";")
        kind, _, subtype = (piece.strip(" ") for piece in name.partition("/"))
        if not subtype and kind == "*":
            subtype = "*"
        if not subtype or "/" in subtype:
            continue
        pairs = [item.split("=") for item in rest]
        given = {pair[0].strip(" "): pair[1].strip(" ") for pair in pairs if len(pair) == 2}
        given = {name: value for name, value in given.items() if value}
        yield _Clause(kind, subtype, _quality(given.pop("q", "1")), given)


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
