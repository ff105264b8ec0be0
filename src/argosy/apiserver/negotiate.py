"""Media types: what a body is, and what an answer shall be."""

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from argosy.apiserver.accept import EVERY, JSON, YAML
from argosy.apiserver.duplicates import repeated, repeats
from argosy.base.errors import StatusError, bad_request, unsupported_media_type
from argosy.http.message import Request, Response

JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
OBJECTS = (JSON, YAML)
TOO_DEEP = "the body of the request is nested too deeply"
LONG_YAML = 16 * 1024
"""Bytes of YAML that are read in about 30 ms."""
MOST_WARNED = 4096
"""Characters of warnings after which each is cut to `WARNING`; upstream's figures."""
WARNING = 256


def patches(*, own: bool) -> tuple[str, ...]:
    """The types of patches that a kind takes: as upstream's custom resources, own kinds have no
    patch strategies.
    """
    return (JSON_PATCH, MERGE, APPLY) if own else (JSON_PATCH, MERGE, STRATEGIC, APPLY)


def media_type(request: Request) -> str:
    """The type of the request's body, without parameters; JSON where none is given."""
    return request.headers.get("content-type", JSON).partition(";")[0].strip().lower() or JSON


def long_yaml(request: Request) -> bool:
    """Whether the body is YAML that takes long to be read."""
    return len(request.body) > LONG_YAML and media_type(request) in (YAML, APPLY)


def whole_object(decoded: Any) -> dict[str, Any]:
    """A body that must be an object. Raises StatusError 400."""
    if not isinstance(decoded, dict):
        raise bad_request("the body of the request must be an object")
    return decoded


def body_value(request: Request, allowed: tuple[str, ...], twice: list[str] | None = None) -> Any:
    """The body, whatever it is. Raises StatusError 400 and 415.

    `twice` is given what is to be said of keys that are there twice, if there are such.
    """
    kind = media_type(request)
    if kind not in allowed:
        raise unsupported_media_type(EVERY if allowed == OBJECTS else allowed)
    if kind in (YAML, APPLY):
        return _from_yaml(request.body, twice)
    decoded = _from_json(request.body)
    if twice is not None and repeats(request.body, decoded):
        twice += repeated_keys(request.body)
    return decoded


def _from_json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise bad_request(f"the body of the request is not valid JSON: {error}") from None
    except RecursionError:
        raise bad_request(TOO_DEEP) from None


def repeated_keys(body: bytes) -> list[str]:
    """What is to be said of keys that JSON has twice. Raises StatusError 400."""
    try:
        return repeated(body)
    except RecursionError:
        raise bad_request(TOO_DEEP) from None


def _from_yaml(body: bytes, twice: list[str] | None) -> Any:
    """YAML; JSON, which it nearly always is, is tried first because it is much faster."""
    # Most servers of one machine never read any YAML: it is loaded when it comes.
    if body.lstrip()[:1] == b"{":
        decoded = _from_json(body)
        if twice is not None and repeats(body, decoded):
            from argosy.apiserver import yamlform

            yamlform.read(body, twice)
        return decoded
    from argosy.apiserver import yamlform

    return yamlform.read(body, twice)


def answer(body: bytes, *, status: int = 200, warnings: tuple[str, ...] = ()) -> Response:
    """A JSON answer; warnings go into its header as kubectl reads them."""
    headers = {"content-type": JSON}
    if warnings:
        headers["warning"] = warning_header(warnings)
    return Response(status, headers, body)


def warned(response: Response, text: str) -> Response:
    """The answer, with one warning before its others."""
    others = response.headers.get("warning")
    header = warning_header([text])
    headers = {**response.headers, "warning": f"{header}, {others}" if others else header}
    return Response(response.status, headers, response.body)


def warning_header(texts: Iterable[str]) -> str:
    """The value of the `Warning` header: each text once, and bounded in all."""
    unique = [text for text in dict.fromkeys(texts) if text]
    if sum(map(len, unique)) > MOST_WARNED:
        cut = [text[:WARNING] for text in unique]
        before = itertools.accumulate(map(len, cut), initial=0)
        unique = [text for text, sum_ in zip(cut, before, strict=False) if sum_ < MOST_WARNED]
    return ", ".join(map(_warning, unique))


def _warning(text: str) -> str:
    plain = "".join(char if " " <= char <= "~" else " " for char in text)
    quoted = plain.replace("\\", "\\\\").replace('"', '\\"')
    return f'299 - "{quoted}"'


def answer_object(obj: Mapping[str, Any], *, status: int = 200) -> Response:
    """An object as a JSON answer."""
    return answer(msgspec.json.encode(obj), status=status)


def answer_error(error: StatusError) -> Response:
    """An error as its `Status`."""
    response = answer_object(error.status(), status=error.code)
    if error.warnings:
        headers = {**response.headers, "warning": warning_header(error.warnings)}
        response = Response(error.code, headers, response.body)
    retry = error.details.get("retryAfterSeconds")
    if retry:
        return Response(error.code, {**response.headers, "retry-after": str(retry)}, response.body)
    return response
