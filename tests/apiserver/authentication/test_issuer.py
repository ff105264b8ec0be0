"""What tells others how to check tokens."""

import jwt

from argosy.apiserver.authentication.tokens import ISSUER
from argosy.http.message import Request
from tests.apiserver.kit import Api

CONFIGURATION = "/.well-known/openid-configuration"
TOKEN = "/api/v1/namespaces/default/serviceaccounts/default/token"


async def test_a_relying_party_can_check_a_token(api: Api) -> None:
    api.cluster.plane.server.issuer.address = "https://127.0.0.1:6443"
    token = (await api.ask("POST", TOKEN, {"spec": {"audiences": ["vault"]}})).body
    configuration = await api.get(CONFIGURATION)
    server = api.cluster.plane.server
    known = {"authorization": f"Bearer {api.cluster.plane.token}"}
    answer = await server.handle(Request("GET", "/openid/v1/jwks", headers=known))

    assert configuration.body == {
        "issuer": ISSUER,
        "jwks_uri": "https://127.0.0.1:6443/openid/v1/jwks",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }
    assert configuration.headers["cache-control"] == "public, max-age=3600"
    assert answer.headers["content-type"] == "application/jwk-set+json"
    assert isinstance(answer.body, bytes)
    key = jwt.PyJWKSet.from_json(answer.body.decode()).keys[0]
    read = jwt.decode(token["status"]["token"], key, ["RS256"], audience="vault", issuer=ISSUER)
    assert read["sub"] == "system:serviceaccount:default:default"


async def test_the_documents_are_read_only_and_for_accounts(api: Api) -> None:
    assert (await api.ask("POST", CONFIGURATION)).status == 405
    bob = {"impersonate-user": "bob"}
    assert (await api.ask("GET", CONFIGURATION, headers=bob)).status == 403
    account = {"impersonate-user": "system:serviceaccount:a:b"}
    assert (await api.ask("GET", CONFIGURATION, headers=account)).status == 200
    assert (await api.ask("HEAD", CONFIGURATION, headers=account)).status == 200
