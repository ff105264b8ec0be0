"""Attacks on who one is: each must be refused with 401, and cost nobody else anything.

The issuer is a real server on a local TLS port, so that discovery and keys are really fetched.
"""

import asyncio
import gzip
import hmac
import json
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from argosy.apiserver.authentication.keys import Keys
from argosy.apiserver.authentication.keysets import LARGEST
from argosy.apiserver.authentication.tokens import LONGEST
from argosy.apiserver.guards import Guards
from argosy.base.clock import SystemClock
from argosy.cluster.authority import Authority
from argosy.cluster.server import ControlPlane, control_plane, memory_store
from argosy.http.message import Request, Response
from argosy.http.server import serve
from argosy.http.tls import ensure_certificates, server_context
from tests.apiserver.authentication import oidckit as kit

Json = dict[str, Any]
REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"


@dataclass
class Issuer:
    """A server that tells of its keys; `asked` is what was asked of it."""

    url: str = ""
    documents: dict[str, Json] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    silent: bool = False
    instead: Response | None = None

    async def __call__(self, request: Request) -> Response:
        self.asked.append(request.path)
        if self.silent:
            await asyncio.Event().wait()
        if self.instead is not None:
            return self.instead
        found = self.documents.get(request.path)
        if found is None:
            return Response(404)
        return Response(200, {"content-type": "application/json"}, json.dumps(found).encode())


@dataclass
class Scene:
    """A control plane that trusts the issuer."""

    plane: ControlPlane
    issuer: Issuer

    def claims(self, **changed: Any) -> Json:
        now = int(datetime.now(UTC).timestamp())
        return kit.claims(now, **{"iss": self.issuer.url, **changed})

    async def status(self, token: str, path: str = "/api/v1/pods") -> int:
        headers = {"authorization": f"Bearer {token}"}
        response = await self.plane.server.handle(Request("GET", path, headers=headers))
        return response.status

    async def reviewed(self, token: str) -> Json:
        """What a review says of it."""
        headers = {
            "authorization": f"Bearer {self.plane.token}",
            "content-type": "application/json",
        }
        body = msgspec.json.encode({"spec": {"token": token}})
        answer = await self.plane.server.handle(Request("POST", REVIEWS, "", headers, body))
        assert isinstance(answer.body, bytes)
        status: Json = msgspec.json.decode(answer.body)["status"]
        return status


@asynccontextmanager
async def issuing(folder: Path) -> AsyncGenerator[tuple[Issuer, str], None]:
    """The issuer, and the authority (PEM) that vouches for it."""
    certificates = ensure_certificates(folder, ["127.0.0.1"], datetime.now(UTC))
    tls = server_context(certificates.cert_file, certificates.key_file)
    issuer = Issuer()
    server = await serve(issuer, addresses=[("127.0.0.1", 0)], tls=tls)
    try:
        issuer.url = f"https://127.0.0.1:{server.addresses[0][1]}"
        keys = (kit.jwk(kit.rsa_key(), "one"), kit.jwk(kit.ec_key(), "curve"))
        issuer.documents = {
            url.removeprefix(issuer.url): found
            for url, found in kit.documents(*keys, issuer=issuer.url, host=issuer.url).items()
        }
        yield issuer, certificates.ca_pem.decode()
    finally:
        await server.close()


@pytest_asyncio.fixture
async def scene(tmp_path: Path) -> AsyncGenerator[Scene, None]:
    async with issuing(tmp_path) as (issuer, authority):
        trusted = {"certificate_authority": authority}
        configured = kit.configuration(kit.rules(issuer.url, issuer=trusted))
        store = memory_store()
        plane = control_plane(store, SystemClock(), guards=Guards(authentication=configured))
        yield Scene(plane, issuer)
        await store.close()


async def test_the_issuers_token_is_good(scene: Scene) -> None:
    """What the attacks are measured by: the right token is somebody's, who may do nothing."""
    token = kit.signed(scene.claims())
    assert await scene.status(token) == 403
    user = (await scene.reviewed(token))["user"]
    assert (user["username"], user["uid"]) == ("oidc:jane", "u-1")
    assert user["groups"] == ["oidc:staff", "system:authenticated"]
    assert scene.issuer.asked == ["/.well-known/openid-configuration", "/keys"]


PUBLIC = kit.rsa_key().public_key()
PEM = PUBLIC.public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
DER = PUBLIC.public_bytes(
    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
)


def confused(said: Json, secret: bytes, algorithm: str = "HS256") -> str:
    """A token whose secret is the issuer's public key."""
    head = {"alg": algorithm, "kid": "one"}
    digest = {"HS256": "sha256", "HS512": "sha512"}[algorithm]
    unsigned = kit.raw(head, said).removesuffix(".")
    return kit.raw(head, said, hmac.digest(secret, unsigned.encode(), digest))


def swapped(token: str, said: Json) -> str:
    """Other claims under a signature."""
    head, _, signature = token.split(".")
    return ".".join((head, kit.raw({}, said).split(".")[1], signature))


ATTACKS: Mapping[str, Callable[[Scene], str]] = {
    "alg-none": lambda it: kit.raw({"alg": "none", "kid": "one"}, it.claims()),
    "alg-none-in-capitals": lambda it: kit.raw({"alg": "NONE", "kid": "one"}, it.claims()),
    "alg-missing": lambda it: kit.raw({"kid": "one"}, it.claims()),
    "alg-a-list": lambda it: kit.raw({"alg": ["RS256"], "kid": "one"}, it.claims()),
    "hs256-with-the-public-key-pem": lambda it: confused(it.claims(), PEM),
    "hs256-with-the-public-key-der": lambda it: confused(it.claims(), DER),
    "hs512-with-the-public-key-pem": lambda it: confused(it.claims(), PEM, "HS512"),
    "hs256-with-no-secret": lambda it: confused(it.claims(), b""),
    "rsa-token-by-the-curve-key": lambda it: kit.signed(it.claims(), name="curve"),
    "curve-token-by-the-rsa-key": lambda it: kit.signed(it.claims(), kit.ec_key(), alg="ES256"),
    "signed-by-somebody-else": lambda it: kit.signed(it.claims(), kit.rsa_key("evil")),
    "key-in-the-head": lambda it: kit.signed(
        it.claims(), kit.rsa_key("evil"), jwk=kit.jwk(kit.rsa_key("evil"), "one")
    ),
    "keys-by-a-url-in-the-head": lambda it: kit.signed(
        it.claims(), kit.rsa_key("evil"), jku="https://127.0.0.1:1/keys"
    ),
    "critical-extension": lambda it: kit.signed(it.claims(), crit=["b64"], b64=True),
    "kid-a-path": lambda it: kit.signed(it.claims(), kit.rsa_key("evil"), "../../dev/null"),
    "claims-swapped": lambda it: swapped(kit.signed(it.claims()), it.claims(sub="root")),
    "signature-cut": lambda it: kit.signed(it.claims())[:-20],
    "signature-away": lambda it: kit.signed(it.claims()).rpartition(".")[0] + ".",
    "expired": lambda it: kit.signed(it.claims(exp=1)),
    "without-an-end": lambda it: kit.signed(it.claims(exp=None)),
    "not-yet-valid": lambda it: kit.signed(it.claims(nbf=2**40)),
    "for-another-audience": lambda it: kit.signed(it.claims(aud="bank")),
    "for-no-audience": lambda it: kit.signed(it.claims(aud=None)),
    "of-an-issuer-with-a-slash": lambda it: kit.signed(it.claims(iss=f"{it.issuer.url}/")),
    "of-another-issuer": lambda it: kit.signed(it.claims(iss="https://evil.example")),
    "as-the-clusters-own-issuer": lambda it: kit.signed(
        it.claims(
            iss="https://kubernetes.default.svc.cluster.local",
            sub="system:serviceaccount:kube-system:default",
            aud=["https://kubernetes.default.svc.cluster.local"],
        )
    ),
    "issuer-twice": lambda it: kit.signed(
        (json.dumps(it.claims())[:-1] + ', "iss": "https://evil.example"}').encode()
    ),
    "of-another-tenant": lambda it: kit.signed(it.claims(tenant="theirs")),
    "name-a-list": lambda it: kit.signed(it.claims(sub=["system:admin"])),
    "nested-deeply": lambda it: kit.signed(
        b'{"iss":"' + it.issuer.url.encode() + b'","a":' + b"[" * 5000
    ),
    "huge": lambda it: kit.signed(it.claims(padding="x" * LONGEST)),
    "head-of-numbers": lambda it: "MQ.MQ.MQ",
    "dots": lambda it: "." * 10_000,
    "a-bootstrap-token": lambda it: "abcdef.0123456789abcdef",
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_forged_token_is_nobodys(scene: Scene, attack: str) -> None:
    token = ATTACKS[attack](scene)
    assert await scene.status(token) == 401
    assert await scene.status(token, "/livez") == 401
    assert "authenticated" not in await scene.reviewed(token)


async def test_a_flood_of_made_up_keys_is_one_look(scene: Scene) -> None:
    tokens = [kit.signed(scene.claims(), name=f"made-up-{i}") for i in range(50)]
    assert set(await asyncio.gather(*map(scene.status, tokens))) == {401}
    assert scene.issuer.asked == ["/.well-known/openid-configuration", "/keys"]
    assert await scene.status(kit.signed(scene.claims())) == 403


async def test_an_issuer_that_hangs_delays_nobody_else(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("argosy.apiserver.authentication.keysets.PATIENCE", 0.2)
    scene.issuer.silent = True
    waiting = asyncio.create_task(scene.status(kit.signed(scene.claims())))
    while not scene.issuer.asked:
        await asyncio.sleep(0.001)
    async with asyncio.timeout(0.1):
        assert await scene.status(scene.plane.token) == 200
    assert await waiting == 401


@pytest.mark.parametrize(
    "instead",
    [
        Response(302, {"location": "https://127.0.0.1:1/elsewhere"}),
        Response(200, {}, b" " * (LARGEST + 1)),
        Response(500, {}, b"{}"),
        Response(200, {"content-encoding": "gzip"}, gzip.compress(b" " * (64 * LARGEST))),
        Response(200, {"content-encoding": "gzip"}, b"nothing of that"),
        Response(200, {}, b""),
    ],
)
async def test_what_an_issuer_answers_is_bounded(scene: Scene, instead: Response) -> None:
    scene.issuer.instead = instead
    assert await scene.status(kit.signed(scene.claims())) == 401
    assert scene.issuer.asked == ["/.well-known/openid-configuration"]


async def test_an_issuer_whose_certificate_is_not_vouched_for_has_no_keys(tmp_path: Path) -> None:
    other = ensure_certificates(tmp_path / "other", ["127.0.0.1"], datetime.now(UTC))
    async with issuing(tmp_path / "issuer") as (issuer, _):
        trusted = {"certificate_authority": other.ca_pem.decode()}
        configured = kit.configuration(kit.rules(issuer.url, issuer=trusted))
        plane = control_plane(
            memory_store(), SystemClock(), guards=Guards(authentication=configured)
        )
        it = Scene(plane, issuer)
        assert await it.status(kit.signed(it.claims())) == 401
        assert issuer.asked == []


def requested(cn: str, *groups: str) -> tuple[ec.EllipticCurvePrivateKey, Any]:
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    names += [x509.NameAttribute(NameOID.COMMON_NAME, cn)] if cn else []
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
    return key, builder.sign(key, hashes.SHA256())


def shown(folder: Path, authority: Path, usage: str, cn: str, *groups: str) -> Path:
    """A file with a key, and the authority's certificate for it."""
    key, asked = requested(cn, *groups)
    file = folder / "client.pem"
    file.write_bytes(
        Authority(authority, SystemClock()).sign(asked, (usage,), None)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file


async def answer(address: tuple[str, int], trust: ssl.SSLContext, token: str = "") -> int:
    """The status of the answer to a client; 0 where the connection is refused."""
    bearer = f"authorization: Bearer {token}\r\n" if token else ""
    head = f"GET /api/v1/pods HTTP/1.1\r\nhost: x\r\n{bearer}connection: close\r\n\r\n"
    try:
        reader, writer = await asyncio.open_connection(*address, ssl=trust)
        writer.write(head.encode())
        line = await reader.readline()
        await reader.read()
        writer.close()
        await writer.wait_closed()
    except OSError:
        return 0
    return int(line.split()[1]) if line else 0


@pytest.mark.parametrize(
    ("authority", "usage", "subject", "token", "status"),
    [
        ("own", "client auth", ("jane", "staff"), "", 403),
        ("own", "client auth", ("admin", "system:masters"), "", 200),
        ("own", "client auth", ("jane", "staff"), "own", 403),  # the certificate speaks first
        ("own", "client auth", ("", "system:masters"), "", 401),
        ("own", "client auth", ("", "system:masters"), "own", 200),
        ("own", "server auth", ("admin", "system:masters"), "", 0),
        ("evil", "client auth", ("admin", "system:masters"), "", 0),
        ("", "", (), "own", 200),
        ("", "", (), "", 401),
    ],
)
async def test_certificates(
    tmp_path: Path, authority: str, usage: str, subject: tuple[str, ...], token: str, status: int
) -> None:
    now = datetime.now(UTC)
    own = ensure_certificates(tmp_path / "own", ["127.0.0.1"], now)
    ensure_certificates(tmp_path / "evil", ["127.0.0.1"], now)
    plane = control_plane(memory_store(), SystemClock())
    tls = server_context(own.cert_file, own.key_file, client_ca=own.ca_pem)
    server = await serve(plane.server.handle, addresses=[("127.0.0.1", 0)], tls=tls)
    trust = ssl.create_default_context(cadata=own.ca_pem.decode())
    if authority:
        trust.load_cert_chain(shown(tmp_path, tmp_path / authority, usage, *subject))
    try:
        given = plane.token if token else ""
        assert await answer(server.addresses[0], trust, given) == status
    finally:
        await server.close()


async def test_a_certificate_that_has_ended_is_refused(tmp_path: Path) -> None:
    """The authority's own past: a clock that is an hour behind signs for ten minutes."""

    class Past(SystemClock):
        def now(self) -> datetime:
            return super().now() - timedelta(minutes=30)

    own = ensure_certificates(tmp_path / "own", ["127.0.0.1"], datetime.now(UTC))
    key, asked = requested("admin", "system:masters")
    file = tmp_path / "client.pem"
    file.write_bytes(
        Authority(tmp_path / "own", Past()).sign(asked, ("client auth",), 600)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    plane = control_plane(memory_store(), SystemClock())
    tls = server_context(own.cert_file, own.key_file, client_ca=own.ca_pem)
    server = await serve(plane.server.handle, addresses=[("127.0.0.1", 0)], tls=tls)
    trust = ssl.create_default_context(cadata=own.ca_pem.decode())
    trust.load_cert_chain(file)
    try:
        assert await answer(server.addresses[0], trust, plane.token) == 0
    finally:
        await server.close()


async def test_another_clusters_account_token_is_nobodys() -> None:
    """Same claims, another key."""
    plane = control_plane(memory_store(), SystemClock())
    plane.server.issuer.keys.make()
    other = Keys()
    other.make()
    it = Scene(plane, Issuer("https://kubernetes.default.svc.cluster.local"))
    for keys in (other, plane.server.issuer.keys):
        assert await it.status(keys.sign(msgspec.json.encode(it.claims()))) == 401


async def test_an_issuer_that_is_taken_out_of_the_file_is_believed_no_more(tmp_path: Path) -> None:
    async with issuing(tmp_path / "issuer") as (issuer, authority):
        file = tmp_path / "file"
        configured = kit.configuration(
            kit.rules(issuer.url, issuer={"certificate_authority": authority})
        )
        guards = Guards(authentication=configured, authentication_file=file)
        plane = control_plane(memory_store(), SystemClock(), guards=guards)
        it = Scene(plane, issuer)
        token = kit.signed(it.claims())
        assert await it.status(token) == 403
        kind = "AuthenticationConfiguration"
        for said, status in (
            ("jwt: [", 403),
            ("anonymous: {enabled: true}", 403),
            ("jwt: []", 401),
        ):
            file.write_text(f"apiVersion: apiserver.config.k8s.io/v1\nkind: {kind}\n{said}\n")
            await plane.server.reloads[0].look()
            assert await it.status(token) == status
