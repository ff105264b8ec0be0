"""The rules of admission webhooks' configurations."""

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from argosy.api import names
from argosy.api.validation.fields import (
    NEEDED,
    Needed,
    Table,
    between,
    each,
    fields,
    one_of,
    together,
    unique_by,
)
from argosy.api.validation.formats import full_name, old_label_faults
from argosy.api.validation.matching import (
    FAILURE_POLICIES,
    MATCH_POLICIES,
    match_conditions,
    rule,
)
from argosy.api.validation.rule import Json, Rule, of_part
from argosy.api.validation.selectors import label_selector
from argosy.base.errors import FieldError, invalid_value, required

Errors = Iterator[FieldError]

REVIEWS = ("v1", "v1beta1")
SIDE_EFFECTS = ("None", "NoneOnDryRun")
URL_FORM = "; desired format: https://host[/path]"


def client(config: Json, path: str) -> Errors:
    """Where a webhook is."""
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        yield required(path, "exactly one of url or service is required")
    elif url is not None:
        yield from _url(url, f"{path}.url")
    elif service is not None:
        yield from SERVICE(service, f"{path}.service")


def _url(text: str, path: str) -> Errors:
    try:
        url = urlsplit(text)
    except ValueError as error:
        yield required(path, f"url must be a valid URL: {error}{URL_FORM}")
        return
    if url.scheme != "https":
        yield invalid_value(path, url.scheme, f"'https' is the only allowed URL scheme{URL_FORM}")
    user, at, host = url.netloc.rpartition("@")
    found = (
        (not host, host, f"host must be specified{URL_FORM}"),
        (bool(at), user, "user information is not permitted in the URL"),
        (bool(url.fragment), url.fragment, "fragments are not permitted in the URL"),
        (bool(url.query), url.query, "query parameters are not permitted in the URL"),
    )
    yield from (invalid_value(path, shown, detail) for wrong, shown, detail in found if wrong)


def _service_path(text: str, path: str) -> Errors:
    if text in ("", "/"):
        return
    if text == "//":
        yield invalid_value(path, text, "segment[0] may not be empty")
        return
    if not text.startswith("/"):
        yield invalid_value(path, text, "must start with a '/'")
    for i, step in enumerate(text[1:].removesuffix("/").split("/")):
        if not step:
            yield invalid_value(path, text, f"segment[{i}] may not be empty")
            continue
        for fault in names.subdomain_faults(step):
            yield invalid_value(path, text, f"segment[{i}]: {fault}")


def _reviews(versions: Sequence[str], path: str) -> Errors:
    seen = set()
    for i, version in enumerate(versions):
        if version in seen:
            yield invalid_value(f"{path}[{i}]", version, "duplicate version")
            continue
        seen.add(version)
        for fault in old_label_faults(version):
            yield invalid_value(f"{path}[{i}]", version, fault)
    if not seen.intersection(REVIEWS):
        detail = f"must include at least one of {', '.join(REVIEWS)}"
        yield invalid_value(path, versions, detail)


SERVICE = fields(
    {
        "name": NEEDED,
        "namespace": NEEDED,
        "port": between(1, 65535, "port is not valid: must be between 1 and 65535, inclusive"),
        "path": _service_path,
    }
)
HOOK: Table = {
    "name": (NEEDED, full_name),
    "rules": each(rule),
    "failurePolicy": one_of(*FAILURE_POLICIES),
    "matchPolicy": one_of(*MATCH_POLICIES),
    "sideEffects": (
        Needed(f"must specify one of {', '.join(SIDE_EFFECTS)}"),
        one_of(*SIDE_EFFECTS),
    ),
    "timeoutSeconds": between(1, 30, "the timeout value must be between 1 and 30 seconds"),
    "namespaceSelector": label_selector,
    "objectSelector": label_selector,
    "reinvocationPolicy": one_of("IfNeeded", "Never"),
    "clientConfig": client,
    "matchConditions": match_conditions,
    "admissionReviewVersions": (
        Needed(f"must specify one of {', '.join(REVIEWS)}"),
        _reviews,
    ),
}
HOOKS = together(each(fields(HOOK)), unique_by("name", at="name"))

RULES: Mapping[str, tuple[Rule, ...]] = {
    "MutatingWebhookConfiguration": (of_part("webhooks", HOOKS),),
    "ValidatingWebhookConfiguration": (of_part("webhooks", HOOKS),),
}
