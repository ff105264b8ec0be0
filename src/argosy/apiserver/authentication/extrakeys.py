"""Keys of a user's `extra`, where they must be paths behind a domain: `acme.io/foo`."""

import re
from collections.abc import Iterator
from typing import Final

from argosy.api.names import subdomain_faults
from argosy.base.errors import FieldError, invalid_value, required

PATH: Final = re.compile(r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+")


def prefixed_path_faults(key: str, path: str) -> Iterator[FieldError]:
    """What is wrong with it, in upstream's words."""
    if not key:
        yield required(path)
        return
    domain, slash, rest = key.partition("/")
    if not (domain and slash and rest):
        detail = 'must be a domain-prefixed path (such as "acme.io/foo")'
        yield invalid_value(path, key, detail)
        return
    for fault in subdomain_faults(domain):
        yield invalid_value(path, domain, fault)
    if not PATH.fullmatch(rest):
        yield invalid_value(path, rest, f"Invalid path (regex {PATH.pattern})")
