"""Options of lists and watches that contradict each other, refused in kube-apiserver's words."""

from collections.abc import Mapping

from argosy.base.errors import FieldError, StatusError, forbidden_field, invalid, not_supported

EXACT, NOT_OLDER = "Exact", "NotOlderThan"
MATCH = "resourceVersionMatch"
INITIAL = "sendInitialEvents"


def check_list(query: Mapping[str, str]) -> None:
    """Raises StatusError 422 for options that no list has."""
    if MATCH in query or INITIAL in query:
        _refuse(_of_list(query))


def check_watch(query: Mapping[str, str]) -> None:
    """Raises StatusError 422 for options that no watch has."""
    if MATCH in query or INITIAL in query:
        _refuse(_of_watch(query))


def _of_list(query: Mapping[str, str]) -> list[FieldError]:
    errors = []
    if match := query.get(MATCH, ""):
        version = query.get("resourceVersion", "")
        if not version:
            errors.append(_forbidden(MATCH, "forbidden unless resourceVersion is provided"))
        if query.get("continue"):
            errors.append(_forbidden(MATCH, "forbidden when continue is provided"))
        if match not in (EXACT, NOT_OLDER):
            errors.append(not_supported(MATCH, match, [EXACT, NOT_OLDER, ""]))
        if match == EXACT and version == "0":
            text = f'{MATCH} "exact" is forbidden for resourceVersion "0"'
            errors.append(forbidden_field(MATCH, text))
    if query.get(INITIAL):
        errors.append(_forbidden(INITIAL, "forbidden for list"))
    return errors


def _of_watch(query: Mapping[str, str]) -> list[FieldError]:
    errors = []
    match, initial = query.get(MATCH, ""), query.get(INITIAL, "")
    if initial and match != NOT_OLDER:
        text = f"{INITIAL} requires setting {MATCH} to {NOT_OLDER}"
        errors.append(forbidden_field(MATCH, text))
    if match:
        if not initial:
            errors.append(_forbidden(MATCH, f"forbidden for watch unless {INITIAL} is provided"))
        if match != NOT_OLDER:
            errors.append(not_supported(MATCH, match, [NOT_OLDER]))
        if query.get("continue"):
            errors.append(_forbidden(MATCH, "forbidden when continue is provided"))
    return errors


def _forbidden(name: str, why: str) -> FieldError:
    return forbidden_field(name, f"{name} is {why}")


def _refuse(errors: list[FieldError]) -> None:
    if errors:
        error: StatusError = invalid("ListOptions", "meta.k8s.io", "", errors)
        raise error
