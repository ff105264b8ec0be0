"""ConversionReview: what is asked of a conversion webhook, and what its answer must be.

A webhook may say all of an object but who it is: its metadata stays what it was, except for labels
and annotations, which differ from version to version for some kinds. Source: apiextensions'
`webhook_converter`, Kubernetes 1.36, whose words these are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from argosy.api import names
from argosy.api.schema import Schema
from argosy.api.structural import check
from argosy.base.errors import StatusError

Json = dict[str, Any]
GROUP: Final = "apiextensions.k8s.io"
REVIEWS: Final = ("v1", "v1beta1")
"""The versions of ConversionReview that are spoken here."""
LARGEST: Final = 3 << 20
"""Bytes of a converted object: as many as a client may send."""
ANYTHING: Final = Schema(type="any")
WHERE: Final = {"type": "object at index {}", "object": "object", "metadata": "metadata"}
WHERE_OF_MANY: Final = {
    "type": "converted object at index {}",
    "object": "converted object at index {}",
    "metadata": "metadata in object at index {}",
}
KINDS: Final[Mapping[type, str]] = {
    str: "string",
    list: "[]interface {}",
    dict: "map[string]interface {}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One question: these objects, in the version `wanted`."""

    version: str
    uid: str
    wanted: str
    objects: Sequence[Json]

    def body(self) -> bytes:
        """What is sent."""
        request = {"uid": self.uid, "desiredAPIVersion": self.wanted, "objects": self.objects}
        head = {"kind": "ConversionReview", "apiVersion": f"{GROUP}/{self.version}"}
        return msgspec.json.encode({**head, "request": request})

    @property
    def _asked(self) -> str:
        return f"conversion webhook for {shown(self.objects[0])}"

    def failed(self, reason: str) -> StatusError:
        """What the caller is told when no answer came that can be used."""
        return refused(f"{self._asked} failed: {reason}")

    def converted(self, body: bytes) -> list[Json]:
        """The objects of the answer, in order. Raises StatusError 500."""
        try:
            found = self._objects(msgspec.json.decode(body))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self.failed(str(error)) from None
        if len(found) != len(self.objects):
            raise refused(
                f"{self._asked} returned {len(found)} objects, expected {len(self.objects)}"
            )
        return [self._checked(at, new) for at, new in enumerate(found)]

    def _objects(self, answer: Any) -> list[Any]:
        answer = answer if isinstance(answer, dict) else {}
        if self.version == "v1":
            got = shown(answer)
            wanted = f"{GROUP}/v1, Kind=ConversionReview"
            if got != wanted:
                raise self.failed(f"expected webhook response of {wanted}, got {got}")
        response = answer.get("response")
        if not isinstance(response, dict):
            raise self.failed("no response provided")
        if self.version == "v1" and response.get("uid") != self.uid:
            got = msgspec.json.encode(str(response.get("uid") or "")[:256]).decode()
            raise self.failed(f'expected response.uid="{self.uid}", got {got}')
        result = response.get("result")
        result = result if isinstance(result, dict) else {}
        status, message = str(result.get("status") or ""), str(result.get("message") or "")
        if status != "Success":
            said = message[:1024] or f"response.result.status was '{status[:256]}', not 'Success'"
            raise self.failed(said)
        objects = response.get("convertedObjects")
        return objects if isinstance(objects, list) else []

    def _checked(self, at: int, new: Any) -> Json:
        """One object of the answer, as what it was made of."""
        old = self.objects[at]
        for what, wrong in _faults(old, new, self.wanted):
            many = len(self.objects) > 1
            where = (WHERE_OF_MANY if many else WHERE)[what].format(at)
            raise refused(f"{self._asked} returned invalid {where}: {wrong}")
        meta = restored(old["metadata"], new["metadata"])
        return {"apiVersion": self.wanted, "kind": old["kind"], **new, "metadata": meta}


def refused(message: str) -> StatusError:
    """500, in upstream's words."""
    return StatusError(500, "InternalError", message)


def shown(obj: Mapping[str, Any]) -> str:
    """Of what version and kind an object is, as upstream writes it."""
    version, kind = str(obj.get("apiVersion") or ""), str(obj.get("kind") or "")
    return f"{version[:256]}, Kind={kind[:256]}"


def _faults(old: Json, new: Any, wanted: str) -> Iterator[tuple[str, str]]:
    """What is wrong: with the type, the object, or its metadata."""
    if not isinstance(new, dict):
        yield "type", "it is not an object"
        return
    for name, called, must in (
        ("apiVersion", "groupVersion", wanted),
        ("kind", "kind", old["kind"]),
    ):
        if (got := new.get(name)) != must:
            yield "type", f"invalid {called} (expected {must}, received {str(got)[:256]})"
    meta = new.get("metadata")
    if not isinstance(meta, dict):
        missing = "missing metadata in converted object"
        wrong = f"invalid metadata of type {_type(meta)} in converted object"
        yield "metadata", missing if meta is None else wrong
        return
    for name, called in (("name", "name"), ("namespace", "namespace"), ("uid", "UID")):
        was, is_ = (one.get(name) or "" for one in (old["metadata"], meta))
        if was != is_:
            yield "object", f"must have the same {called}: {was} != {str(is_)[:256]}"
    for wrong in _free(old["metadata"], meta):
        yield "metadata", wrong
    for error in check(ANYTHING, new, "object"):
        yield "object", str(error)


def _free(old: Json, new: Json) -> Iterator[str]:
    """What is wrong with the labels and annotations."""
    for field in ("labels", "annotations"):
        entries = new.get(field)
        if entries is None or entries == old.get(field):
            continue
        if not isinstance(entries, dict):
            yield f"invalid metadata.{field} of type {_type(entries)} in converted object"
            return
        for key, item in entries.items():
            if not isinstance(item, str):
                named = f"metadata.{field}[{key[:256]}]"
                yield f"{named} must be a string, but is {_type(item)} in converted object"
                return
        errors = names.labels if field == "labels" else names.annotations
        yield from map(str, errors(entries, f"metadata.{field}"))


def _type(value: Any) -> str:
    return KINDS.get(type(value), type(value).__name__)


def restored(old: Json, new: Json) -> Json:
    """The metadata of a converted object: that of what it was made of, but for what may differ."""
    meta = {name: item for name, item in old.items() if name not in ("labels", "annotations")}
    kept = {name: new[name] for name in ("labels", "annotations") if new.get(name) is not None}
    return {**meta, **kept}
