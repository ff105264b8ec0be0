"""What a token (JWT) says before anybody has looked at its signature: nothing to be believed.

It only tells whose key to look at it with. Whoever asks must ask the verified claims again.
"""

import base64
import binascii
from typing import Any

import msgspec

from argosy.apiserver.authentication.tokens import TokenError


def part(token: str, at: int) -> dict[str, Any]:
    """The head (0) or the claims (1). Raises TokenError."""
    text = token.split(".")[at]
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
        return msgspec.json.decode(data, type=dict[str, Any])
    except (binascii.Error, ValueError, msgspec.DecodeError, RecursionError):
        raise TokenError("oidc: malformed jwt") from None


def claimed_issuer(token: str) -> str:
    """Who it says that it is of; "" where it says nothing."""
    if token.count(".") != 2:
        return ""
    try:
        issuer = part(token, 1).get("iss")
    except TokenError:
        return ""
    return issuer if isinstance(issuer, str) else ""
