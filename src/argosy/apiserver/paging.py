"""Lists in pieces: `limit` and `continue`, on one snapshot.

A continue token says at which revision the list began and after which key it goes on; a client
hands it back as it got it.
"""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from argosy.apiserver.request import Call
from argosy.base.errors import StatusError, bad_request, expired, invalid, invalid_value, required
from argosy.store.interface import CompactedError, Page, Record, Store

GONE = (
    "The provided continue parameter is too old to display a consistent list result. You must "
    "start a new list without the continue parameter."
)


class _Token(msgspec.Struct, frozen=True):
    """What a continue token holds; `start` is a key below the collection's prefix."""

    rv: int
    start: str


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
    limit = call.number("limit") or 0
    prefix = call.target.key
    revision, start = _begin(call, prefix, newest)
    records: list[Record] = []
    try:
        page = store.page(prefix, start_after=start, limit=limit, revision=revision)
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
        raise expired(GONE) from None
    except ValueError:
        raise bad_request("continue key is not valid: it is of another history") from None
    if not page.next:
        return Piece(records, page.revision)
    token = _write(_Token(page.revision, page.next.removeprefix(prefix)))
    remaining = page.remaining if matches is None else None
    return Piece(records, page.revision, token, remaining)


def _matching(page: Page, matches: Callable[[bytes], bool] | None) -> list[Record]:
    if matches is None:
        return page.records
    return [record for record in page.records if matches(record.value)]


def _begin(call: Call, prefix: str, newest: int) -> tuple[int | None, str]:
    """The revision to read at (None: the newest) and the key to start after."""
    token = call.query.get("continue", "")
    match = call.query.get("resourceVersionMatch", "")
    given = call.query.get("resourceVersion", "")
    if token:
        if given and given != "0":
            text = "specifying resource version is not allowed when using continue"
            raise bad_request(text)
        known = _read(token)
        return known.rv, prefix + known.start
    if not match:
        return None, ""
    if match not in ("Exact", "NotOlderThan"):
        raise _bad_match(match, 'supported values: "Exact", "NotOlderThan"')
    if not given:
        error = required("resourceVersion", "must be set when resourceVersionMatch is")
        raise invalid("ListOptions", "meta.k8s.io", "", [error])
    if match == "Exact":
        if newest == 0:
            raise _bad_match(match, 'forbidden for resourceVersion "0"')
        return newest, ""
    return None, ""


def _bad_match(match: str, detail: str) -> StatusError:
    error = invalid_value("resourceVersionMatch", match, detail)
    return invalid("ListOptions", "meta.k8s.io", "", [error])


def _write(token: _Token) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(token)).decode().rstrip("=")


def _read(text: str) -> _Token:
    try:
        padded = text + "=" * (-len(text) % 4)
        return msgspec.json.decode(base64.urlsafe_b64decode(padded), type=_Token)
    except (msgspec.DecodeError, binascii.Error, ValueError):
        raise bad_request("continue key is not valid") from None
