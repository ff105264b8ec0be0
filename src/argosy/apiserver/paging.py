"""Lists in pieces: `limit` and `continue`, on one snapshot.

A continue token says at which revision the list began and which key it goes on with; a client hands
it back as it got it. It is kube-apiserver's own form. Where the revision is gone, the error brings
a token that goes on with what there is now, for clients that would rather have a list of two
moments than begin anew.
"""

import base64
import binascii
import posixpath
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from argosy.apiserver.listoptions import EXACT, check_list
from argosy.apiserver.request import Call
from argosy.base.errors import StatusError, bad_request, expired
from argosy.store.interface import CompactedError, Page, Record, Store

TOO_OLD = "The resourceVersion for the provided list is too old."
GONE = (
    "The provided continue parameter is too old to display a consistent list result. You can start "
    "a new list without the continue parameter, or use the continue token in this response to "
    "retrieve the remainder of the results. Continuing with the provided token results in an "
    "inconsistent list - objects that were created, modified, or deleted between the time the "
    "first chunk was returned and now may show up in the list."
)
VERSION = "meta.k8s.io/v1"
NEWEST = -1
"""The revision in a token that goes on with what there is now."""
INVALID = "invalid continue token: continue key is not valid"


class _Token(msgspec.Struct, frozen=True):
    """What a continue token holds; `start` comes right behind a key below the prefix."""

    v: str = ""
    rv: int = 0
    start: str = ""


class InconsistentError(StatusError):
    """410 with the token of a list that goes on with what there is now."""

    def __init__(self, token: str) -> None:
        gone = expired(GONE)
        super().__init__(gone.code, gone.reason, gone.message)
        self.token = token

    def status(self) -> dict[str, Any]:
        """This error as a `Status` object."""
        return {**super().status(), "metadata": {"continue": self.token}}


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a list; `token` and `remaining` are empty where it is the last."""

    records: list[Record]
    revision: int
    token: str = ""
    remaining: int | None = None


def read_piece(
    store: Store, call: Call, matches: Callable[[bytes], bool] | None, newest: int
) -> Piece:
    """The piece that the call asks for. Raises StatusError 400, 410 and 422.

    `newest` is the revision that the client knows of (its `resourceVersion`), 0 for none.
    """
    check_list(call.query)
    limit = call.number("limit") or 0
    prefix = call.target.key
    revision, start = _begin(call, newest, limit)
    if not start and call.query.get("resourceVersion") == "0":
        limit = 0  # who takes any state gets all of it, as from upstream's cache
    after = prefix + start if start else ""
    records: list[Record] = []
    try:
        page = store.page(prefix, start_after=after, limit=limit, revision=revision)
        records += _matching(page, matches)
        while limit and page.next and len(records) < limit:
            page = store.page(
                prefix,
                start_after=page.next,
                limit=max(limit - len(records), 1),
                revision=page.revision,
            )
            records += _matching(page, matches)
    except CompactedError:
        raise InconsistentError(_write(NEWEST, start)) if start else expired(TOO_OLD) from None
    except ValueError:
        raise bad_request(f"{INVALID}: it is of another history") from None
    if not page.next:
        return Piece(records, page.revision)
    token = _write(page.revision, page.next.removeprefix(prefix))
    remaining = page.remaining if matches is None else None
    return Piece(records, page.revision, token, remaining)


def _matching(page: Page, matches: Callable[[bytes], bool] | None) -> list[Record]:
    if matches is None:
        return page.records
    return [record for record in page.records if matches(record.value)]


def _begin(call: Call, newest: int, limit: int) -> tuple[int | None, str]:
    """The revision to read at (None: the newest) and the key below the prefix to start after."""
    given = call.query.get("resourceVersion", "")
    if token := call.query.get("continue", ""):
        known = _read(token)
        if given and given != "0":
            raise bad_request("specifying resource version is not allowed when using continue")
        return (known.rv if known.rv > 0 else None), known.start
    match = call.query.get("resourceVersionMatch", "")
    exact = match == EXACT or (not match and limit and newest)
    return (newest if exact else None), ""


def _write(revision: int, after: str) -> str:
    token = _Token(VERSION, revision, f"{after}\0")
    return base64.urlsafe_b64encode(msgspec.json.encode(token)).decode().rstrip("=")


def _read(text: str) -> _Token:
    """The token, with the key to start after as `start`. Raises StatusError 400."""
    try:
        padded = text + "=" * (-len(text) % 4)
        token = msgspec.json.decode(base64.b64decode(padded, b"-_", validate=True), type=_Token)
    except (msgspec.DecodeError, binascii.Error, ValueError):
        raise bad_request(INVALID) from None
    if token.v != VERSION:
        text = "server does not recognize this encoded version"
        raise bad_request(f"{INVALID}: {text} {token.v[:64]}")
    if token.rv == 0:
        text = f"incorrect encoded start resourceVersion (version {VERSION})"
        raise bad_request(f"{INVALID}: {text}")
    if not token.start:
        raise bad_request(f"{INVALID}: encoded start key empty (version {VERSION})")
    rooted = f"/{token.start.removeprefix('/')}"
    if posixpath.normpath(rooted) != rooted:
        raise bad_request(f"{INVALID}: {token.start[:256]}")
    return msgspec.structs.replace(token, start=rooted[1:].removesuffix("\0"))
