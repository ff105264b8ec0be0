"""Media types: what a body is, and what an answer shall be."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
import yaml

from argosy.base.errors import StatusError, bad_request, not_acceptable, unsupported_media_type
from argosy.http.message import Request, Response

JSON = "application/json"
YAML = "application/yaml"
JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
OBJECTS = (JSON, YAML)


def patches(*, own: bool) -> tuple[str, ...]:
    """The types of patches that a kind takes: as upstream's custom resources, own kinds have no
    patch strategies.
    """
    return (JSON_PATCH, MERGE, APPLY) if own else (JSON_PATCH, MERGE, STRATEGIC, APPLY)


def media_type(request: Request) -> str:
    """The type of the request's body, without parameters; JSON where none is given."""
    return request.headers.get("content-type", JSON).partition(";")[0].strip().lower() or JSON


def body_object(request: Request, allowed: tuple[str, ...] = OBJECTS) -> dict[str, Any]:
    """The body as an object. Raises StatusError 400 and 415."""
    decoded = body_value(request, allowed)
    if not isinstance(decoded, dict):
        raise bad_request("the body of the request must be an object")
    return decoded


def body_value(request: Request, allowed: tuple[str, ...]) -> Any:
    """The body, whatever it is. Raises StatusError 400 and 415."""
    kind = media_type(request)
    if kind not in allowed:
        raise unsupported_media_type(allowed)
    return _from_yaml(request.body) if kind in (YAML, APPLY) else _from_json(request.body)


def _from_json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise bad_request(f"the body of the request is not valid JSON: {error}") from None
    except RecursionError:
        raise bad_request("the body of the request is nested too deeply") from None


def _from_yaml(body: bytes) -> Any:
    """YAML; JSON, which it nearly always is, is tried first because it is much faster."""
    if body.lstrip()[:1] == b"{":
        return _from_json(body)
    try:
        if b"&" in body and b"*" in body:
            _refuse_aliases(body)
        # Through JSON, because YAML knows more: keys of any type, bytes, sets, NaN.
        return json.loads(json.dumps(yaml.load(body, Loader=_Loader), allow_nan=False))
    except yaml.YAMLError as error:
        detail = str(error).replace("\n", " ")
        raise bad_request(f"the body of the request is not valid YAML: {detail}") from None
    except (RecursionError, TypeError, ValueError):
        raise bad_request("the body of the request is not valid YAML") from None


def _refuse_aliases(body: bytes) -> None:
    """Ten lines of aliases can be gigabytes of objects."""
    if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(body, Loader=_Loader)):
        raise bad_request("YAML anchors and aliases are not accepted")


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe, and without timestamps: Kubernetes' are strings."""


_Loader.yaml_implicit_resolvers = {
    first: [item for item in resolvers if item[0] != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def wants_table(request: Request) -> bool:
    """Whether the client asks for a `Table` first. Raises StatusError 406."""
    accept = request.headers.get("accept", "*/*")
    for choice in accept.split(","):
        kind, _, parameters = choice.strip().partition(";")
        if kind not in (JSON, "*/*", "application/*"):
            continue
        if "as=Table" in parameters:
            return True
        if "as=" not in parameters:
            return False
    raise not_acceptable([JSON])


def answer(body: bytes, *, status: int = 200, warnings: tuple[str, ...] = ()) -> Response:
    """A JSON answer; warnings go into its header as kubectl reads them."""
    headers = {"content-type": JSON}
    if warnings:
        headers["warning"] = ", ".join(map(warning, warnings))
    return Response(status, headers, body)


def warning(text: str) -> str:
    """`text` as a warning in a header."""
    plain = "".join(char if " " <= char <= "~" else " " for char in text[:1024])
    quoted = plain.replace("\\", "\\\\").replace('"', '\\"')
    return f'299 - "{quoted}"'


def answer_object(obj: Mapping[str, Any], *, status: int = 200) -> Response:
    """An object as a JSON answer."""
    return answer(msgspec.json.encode(obj), status=status)


def answer_error(error: StatusError) -> Response:
    """An error as its `Status`."""
    response = answer_object(error.status(), status=error.code)
    retry = error.details.get("retryAfterSeconds")
    if retry:
        return Response(error.code, {**response.headers, "retry-after": str(retry)}, response.body)
    return response
