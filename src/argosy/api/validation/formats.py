"""Checks of texts that have a form of their own: each gives the errors of one text at one path.

Names of objects and labels are in `argosy.api.names`, numbers and addresses in `values`.
"""

import re
from collections.abc import Callable, Iterator

from argosy.api import names
from argosy.base.errors import FieldError, invalid_value, required, too_long

Errors = Iterator[FieldError]

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
IDENTIFIER_RULE = (
    "a valid C identifier must start with alphabetic character or '_', followed by a string of "
    "alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for "
    "validation is '[A-Za-z_][A-Za-z0-9_]*')"
)
WILDCARD = re.compile(r"\*\." + names.SUBDOMAIN.pattern)
WILDCARD_RULE = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which "
    "must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric "
    "character (e.g. '*.example.com', regex used for validation is "
    f"'{WILDCARD.pattern}')"
)
_NUMBER, _WORD = r"(0|[1-9]\d*)", r"(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
SEMVER = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(-{_WORD}(\.{_WORD})*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?",
    re.ASCII,
)
UID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
UID_RULE = "must be a lowercase UUID in 8-4-4-4-12 format"


def old_label_faults(text: str) -> list[str]:
    """What keeps `text` from being a DNS label of RFC 1035, which begins with a letter."""
    faults = ["must be no more than 63 characters"] if len(text) > 63 else []
    return faults if names.OLD_LABEL.fullmatch(text) else [*faults, names.OLD_LABEL_RULE]


def path_segment(text: str, path: str) -> Errors:
    """What can stand between two slashes of a URL: what roles are called, and most references."""
    if text in (".", ".."):
        yield invalid_value(path, text, f"may not be '{text}'")
    for illegal in "/%":
        if illegal in text:
            yield invalid_value(path, text, f"may not contain '{illegal}'")


def wildcard(text: str, path: str) -> Errors:
    """A domain whose first label is `*`."""
    if len(text) > 253:
        yield invalid_value(path, text, "must be no more than 253 characters")
    if not WILDCARD.fullmatch(text):
        yield invalid_value(path, text, WILDCARD_RULE)


def domain_key(text: str, path: str) -> Errors:
    """A key of a label that has a prefix, such as `acme.io/foo`."""
    if faults := names.qualified(text, path):
        yield from faults
    elif "/" not in text:
        yield invalid_value(path, text, 'must be a domain-prefixed key (such as "acme.io/foo")')


def identifier(text: str, path: str, most: int = 32) -> Errors:
    """An identifier as C has them."""
    if len(text) > most:
        yield too_long(path, most)
    if not IDENTIFIER.fullmatch(text):
        yield invalid_value(path, text, IDENTIFIER_RULE)


def driver(text: str, path: str) -> Errors:
    """What a driver of storage or of devices is called."""
    if not text:
        yield required(path)
        return
    if len(text) > 63:
        yield too_long(path, 63)
    for fault in names.subdomain_faults(text.lower()):
        yield invalid_value(path, text, fault)


def uid(text: str, path: str) -> Errors:
    """An object's identity."""
    if not UID.fullmatch(text):
        yield invalid_value(path, text, UID_RULE)


def full_name(text: str, path: str) -> Errors:
    """A domain of three labels or more."""
    if faults := names.subdomain_faults(text):
        yield invalid_value(path, text, ",".join(faults))
    elif text.count(".") < 2:
        detail = "should be a domain with at least three segments separated by dots"
        yield invalid_value(path, text, detail)


def signer_name(text: str, path: str) -> Errors:
    """A signer of certificates: a domain, a slash, and a path."""
    if text.count("/") != 1:
        detail = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
        yield invalid_value(path, text, detail)
        return
    domain, _, rest = text.partition("/")
    if len(domain) > 253:
        yield too_long(path, 253)
    yield from _parts(domain, path, names.label_faults)
    if "." not in domain:
        detail = "should be a domain with at least two segments separated by dots"
        yield invalid_value(path, domain, detail)
    yield from _parts(rest, path, names.subdomain_faults)
    if len(text) > 571:
        yield too_long(path, 571)


def _parts(text: str, path: str, faults: Callable[[str], list[str]]) -> Errors:
    """The errors of the first part between dots that has any."""
    for part in text.split("."):
        if found := faults(part):
            yield from (
                invalid_value(path, text, f'validating label "{part}": {fault}') for fault in found
            )
            return


def of_kubernetes(signer: str) -> bool:
    """Whether a signer's domain is one that Kubernetes keeps for itself."""
    domain = signer.partition("/")[0]
    return domain == "kubernetes.io" or domain.endswith(".kubernetes.io")
