"""A signing key that is made once for all tests of a run, and tokens that say anything."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec

from argosy.apiserver.authentication.keys import Keys
from argosy.apiserver.authentication.tokens import ISSUER

Json = dict[str, Any]
START = datetime(2026, 11, 21, 12, tzinfo=UTC)
NOW = int(START.timestamp())


@cache
def keys() -> Keys:
    made = Keys()
    made.make()
    return made


def claims(**changed: Any) -> Json:
    """What a token for default/default says; `kubernetes` is laid over its part."""
    named = {"namespace": "default", "serviceaccount": {"name": "default", "uid": "u-1"}}
    named |= changed.pop("kubernetes", {})
    return {
        "aud": [ISSUER],
        "exp": NOW + 3600,
        "iat": NOW,
        "iss": ISSUER,
        "jti": "j-1",
        "kubernetes.io": named,
        "nbf": NOW,
        "sub": "system:serviceaccount:default:default",
        **changed,
    }


def token(said: Json | None = None, by: Keys | None = None) -> str:
    return (by or keys()).sign(msgspec.json.encode(claims() if said is None else said))
