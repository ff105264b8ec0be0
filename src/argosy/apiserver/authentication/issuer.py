"""What tells others how to check this cluster's tokens: OpenID Connect discovery, and the keys."""

import asyncio
from dataclasses import dataclass

import msgspec

from argosy.apiserver.authentication.keys import ALGORITHM, Keys
from argosy.apiserver.authentication.tokens import ISSUER
from argosy.base.errors import method_not_allowed
from argosy.http.message import Request, Response

CONFIGURATION = "/.well-known/openid-configuration"
KEY_SET = "/openid/v1/jwks"
PATHS = (CONFIGURATION, KEY_SET)
_LASTING = "public, max-age=3600"


@dataclass(slots=True)
class Issuer:
    """Answers for the issuer of tokens; `address` is where clients find this server, once known."""

    keys: Keys
    address: str = ISSUER

    async def answer(self, request: Request) -> Response:
        """One of the two documents. Raises StatusError 405."""
        if request.method not in ("GET", "HEAD"):
            raise method_not_allowed()
        if request.path == CONFIGURATION:
            return _document("application/json", self._configuration())
        if not self.keys.made:
            await asyncio.to_thread(self.keys.make)
        return _document("application/jwk-set+json", self.keys.published())

    def _configuration(self) -> dict[str, object]:
        return {
            "issuer": ISSUER,
            "jwks_uri": f"{self.address}{KEY_SET}",
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
        }


def _document(media_type: str, body: dict[str, object]) -> Response:
    headers = {"content-type": media_type, "cache-control": _LASTING}
    return Response(200, headers, msgspec.json.encode(body))
