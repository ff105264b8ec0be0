"""Errors in Kubernetes' words: each carries what becomes a `Status` on the wire.

The constructors below are the reasons that an API server gives; `FieldError` is one line of an
`Invalid` answer and speaks as Kubernetes' field validation does.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST_FIELDS = 256
"""Wrong fields that one answer names: a small request can have hundreds of thousands."""


_NAMING = ("group", "name")


class StatusError(Exception):
    """An answer other than success, with code, reason and details as Kubernetes gives them.

    `warnings` is what the client is told beside it.
    """

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        *,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = dict(details or {})
        self.warnings: Sequence[str] = ()

    def status(self) -> dict[str, Any]:
        """This error as a `Status` object."""
        body: dict[str, Any] = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:  # a webhook's refusal may give none
            body["reason"] = self.reason
        if self.details:
            # A Status tells neither the core group nor a name that nobody gave.
            alone = len(self.details) == 1
            body["details"] = {
                key: value
                for key, value in self.details.items()
                if value or alone or key not in _NAMING
            }
        body["code"] = self.code
        return body

    @classmethod
    def from_status(cls, status: Mapping[str, Any], code: int) -> "StatusError":
        """The error that a server's `Status` (or another body, answered with `code`) tells of."""
        return cls(
            int(status.get("code") or code),
            str(status.get("reason") or "Unknown"),
            str(status.get("message") or f"the server answered {code}"),
            details=status.get("details") or {},
        )


class TerminalError(Exception):
    """An error that trying again can't mend: a controller reports it and stops retrying."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field. `field` is its path, such as `spec.containers[0].name`."""

    reason: str
    field: str
    text: str

    def __str__(self) -> str:
        return f"{self.field}: {self.text}"

    def cause(self) -> dict[str, str]:
        """This error as an entry of `status.details.causes`."""
        return {"reason": self.reason, "message": self.text, "field": self.field}


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str, separators=(",", ":"))


def required(field: str, detail: str = "") -> FieldError:
    """A field that must be there and is not."""
    return FieldError("FieldValueRequired", field, f"Required value{f': {detail}' * bool(detail)}")


def invalid_value(field: str, value: object, detail: str) -> FieldError:
    """A field whose value breaks a rule."""
    text = f"Invalid value: {_shown(value)}: {detail}"
    return FieldError("FieldValueInvalid", field, text)


def invalid_combination(field: str, detail: str) -> FieldError:
    """A field that is wrong as a whole; the value is not shown."""
    return FieldError("FieldValueInvalid", field, f"Invalid value: {detail}")


def type_invalid(field: str, value: object, detail: str) -> FieldError:
    """A field whose value has the wrong JSON type."""
    text = f"Invalid value: {_shown(value)}: {detail}"
    return FieldError("FieldValueTypeInvalid", field, text)


def not_supported(field: str, value: object, allowed: Sequence[str]) -> FieldError:
    """A field with a value outside of its enumeration, which is shown in the order given."""
    choice = ", ".join(_shown(item) for item in allowed)
    text = f"Unsupported value: {_shown(value)}: supported values: {choice}"
    return FieldError("FieldValueNotSupported", field, text)


def duplicate(field: str, value: object, detail: str = "") -> FieldError:
    """An entry that is there twice."""
    text = f"Duplicate value: {_shown(value)}{f': {detail}' * bool(detail)}"
    return FieldError("FieldValueDuplicate", field, text)


def missing_reference(field: str, value: object, detail: str = "") -> FieldError:
    """A field that names something that does not exist."""
    text = f"Not found: {_shown(value)}{f': {detail}' * bool(detail)}"
    return FieldError("FieldValueNotFound", field, text)


def forbidden_field(field: str, detail: str) -> FieldError:
    """A field that may not be set or changed."""
    return FieldError("FieldValueForbidden", field, f"Forbidden: {detail}")


def too_long(field: str, limit: int) -> FieldError:
    """A value of more than `limit` bytes."""
    text = f"Too long: may not be more than {limit} bytes"
    return FieldError("FieldValueTooLong", field, text)


def too_long_text(field: str, limit: int) -> FieldError:
    """A text of more than `limit` characters."""
    text = f"Too long: may not be more than {limit} characters"
    return FieldError("FieldValueTooLong", field, text)


def too_many(field: str, count: int, limit: int) -> FieldError:
    """A list of more than `limit` items."""
    items = "item" if limit == 1 else "items"
    text = f"Too many: {count}: must have at most {limit} {items}"
    return FieldError("FieldValueTooMany", field, text)


def invalid(kind: str, group: str, name: str, errors: Sequence[FieldError]) -> StatusError:
    """422: the object was understood and refused for `errors`; names the first of very many."""
    named = errors[:MOST_FIELDS]
    texts = list(dict.fromkeys(str(error) for error in named))
    if len(errors) > len(named):
        texts.append("and more errors")
    joined = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    return StatusError(
        422,
        "Invalid",
        f"{kind}{f'.{group}' * bool(group)} {_shown(name)} is invalid: {joined}",
        details={
            "name": name,
            "group": group,
            "kind": kind,
            "causes": [error.cause() for error in named],
        },
    )


def bad_request(message: str) -> StatusError:
    """400: the request can't be understood."""
    return StatusError(400, "BadRequest", message)


def unauthorized() -> StatusError:
    """401: nobody known asked."""
    return StatusError(401, "Unauthorized", "Unauthorized")


def forbidden(message: str) -> StatusError:
    """403: somebody known asked for what is not theirs."""
    return StatusError(403, "Forbidden", message)


def _named(code: int, reason: str, resource: str, name: str, text: str) -> StatusError:
    plural, _, group = resource.partition(".")
    details = {"name": name, "group": group, "kind": plural}
    message = f"{resource} {_shown(name)} {text}"
    return StatusError(code, reason, message, details=details)


def not_found(resource: str, name: str) -> StatusError:
    """404 for one object; `resource` is `plural` or `plural.group`."""
    return _named(404, "NotFound", resource, name, "not found")


def already_exists(resource: str, name: str) -> StatusError:
    """409: an object of that name is there already."""
    return _named(409, "AlreadyExists", resource, name, "already exists")


def conflict(resource: str, name: str, detail: str) -> StatusError:
    """409: the object is not what the writer thought it to be."""
    message = f"Operation cannot be fulfilled on {resource} {_shown(name)}: {detail}"
    error = _named(409, "Conflict", resource, name, "")
    error.message = message
    error.args = (message,)
    return error


def unknown_path() -> StatusError:
    """404 for a path that the server does not serve."""
    # Details that name nothing: `kubectl debug` reads them, and crashes where there are none.
    return StatusError(
        404, "NotFound", "the server could not find the requested resource", details={"name": ""}
    )


def method_not_allowed(detail: str = "") -> StatusError:
    """405: the resource is there, the verb is not."""
    message = detail or "the server does not allow this method on the requested resource"
    return StatusError(405, "MethodNotAllowed", message)


def not_acceptable(supported: Sequence[str]) -> StatusError:
    """406: no media type that the client accepts is offered."""
    message = f"only the following media types are accepted: {', '.join(supported)}"
    return StatusError(406, "NotAcceptable", message)


def unsupported_media_type(supported: Sequence[str]) -> StatusError:
    """415: the body has a media type that is not understood."""
    message = (
        "the body of the request was in an unknown format - accepted media types include: "
        + ", ".join(supported)
    )
    return StatusError(415, "UnsupportedMediaType", message)


def too_large(limit: int) -> StatusError:
    """413: what is sent, or what would come of it, has more than `limit` bytes."""
    message = f"Request entity too large: limit is {limit}"
    return StatusError(413, "RequestEntityTooLarge", message)


def expired(message: str) -> StatusError:
    """410: the asked-for version is compacted away; list again."""
    return StatusError(410, "Expired", message)


def service_unavailable(message: str, *, retry_after: int = 1) -> StatusError:
    """503: not now; try again after `retry_after` seconds."""
    details = {"retryAfterSeconds": retry_after}
    return StatusError(503, "ServiceUnavailable", message, details=details)


def internal_error(message: str) -> StatusError:
    """500: a fault of the server's own."""
    text = f"Internal error occurred: {message}"
    return StatusError(500, "InternalError", text, details={"causes": [{"message": message}]})
