"""Requests that the server itself makes: to webhooks, and to whoever else it must ask.

`Where` is said by a webhook's `clientConfig`: a URL, or a service, whose backends are found in the
store. The other side proves who it is by a certificate for its name, whatever address that has.
Answers are bounded in time and size, redirects are not followed, and no proxy is used.
"""

import asyncio
import base64
import binascii
import random
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec

from argosy.api.core import Pod
from argosy.api.meta import condition
from argosy.api.resources.core import ENDPOINTS, SERVICE
from argosy.api.resources.network import ENDPOINT_SLICE
from argosy.store.interface import Store

if TYPE_CHECKING:
    import aiohttp

Json = Mapping[str, Any]
LARGEST: Final = 16 << 20
"""Bytes of an answer."""
MOST_CONTEXTS: Final = 256
PLAIN: Final = {
    "content-type": "application/json",
    "accept": "application/json, */*",
    "user-agent": "kube-apiserver-admission",
    "accept-encoding": "identity",  # what is packed could be of any size
}
Address = tuple[str, int]
KEEPERS: Final = (
    ("endpoints.kubernetes.io/managed-by", "endpoint-controller"),
    ("endpointslice.kubernetes.io/managed-by", "endpointslice-controller.k8s.io"),
)
"""The labels of what controllers keep for services."""


class OutboundError(Exception):
    """No answer came, or none that can be used; the text says why, as upstream's does."""


@dataclass(frozen=True, slots=True)
class Where:
    """A server: its URL, whom to trust for it, and where it is, if not where its URL says."""

    url: str
    tls: ssl.SSLContext | None = None
    address: Address | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Outbound:
    """All that the server asks of others. `close` ends its connections."""

    store: Store
    _session: "aiohttp.ClientSession | None" = None
    _contexts: dict[bytes, ssl.SSLContext] = field(default_factory=dict)

    def where(self, config: Json) -> Where:
        """What a `clientConfig` says. Raises OutboundError where nobody is to be found there."""
        trusted = self._trusted(str(config.get("caBundle") or ""))
        if config.get("url"):
            return Where(str(config["url"]), trusted)
        service: Json = config.get("service") or {}
        namespace, name = str(service.get("namespace")), str(service.get("name"))
        port = int(service.get("port") or 443)
        path = str(service.get("path") or "").lstrip("/")
        host = f"{name}.{namespace}.svc"
        url = f"https://{host}:{port}/{path}"
        return Where(url, trusted, backend(self.store, namespace, name, port))

    def _trusted(self, bundle: str) -> ssl.SSLContext:
        """Trust in the certificates of a bundle (base64 of PEM), or in the system's if empty."""
        try:
            pem = base64.b64decode(bundle, validate=True)
        except (binascii.Error, ValueError):
            raise OutboundError("unable to load root certificates: illegal base64 data") from None
        known = self._contexts.get(pem)
        if known is None:
            known = _context(pem)
            if len(self._contexts) >= MOST_CONTEXTS:
                self._contexts.clear()
            self._contexts[pem] = known
        return known

    async def post(
        self, where: Where, body: bytes, *, seconds: float, query: str = ""
    ) -> tuple[int, bytes]:
        """Status and body of the answer to JSON. Raises OutboundError."""
        import aiohttp  # here, because most servers start without

        shown = f"{where.url}{'&' if '?' in where.url else '?'}{query}" if query else where.url
        url, host = shown, urlsplit(where.url).netloc
        if where.address is not None:
            address, port = where.address
            literal = f"[{address}]" if ":" in address else address
            url = shown.replace(f"//{host}", f"//{literal}:{port}", 1)
        try:
            async with self._connected().post(
                url,
                data=body,
                headers={**PLAIN, "host": host, **where.headers},
                ssl=where.tls or True,
                server_hostname=urlsplit(where.url).hostname,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=seconds),
            ) as answer:
                return answer.status, await _whole(answer)
        except TimeoutError:
            raise OutboundError(f'Post "{shown}": context deadline exceeded') from None
        except (aiohttp.ClientError, OSError, ValueError, UnicodeError) as error:
            raise OutboundError(f'Post "{shown}": {_reason(error)}') from None

    def _connected(self) -> "aiohttp.ClientSession":
        import aiohttp

        if self._session is None or self._session.closed:
            jar = aiohttp.DummyCookieJar()
            connector = aiohttp.TCPConnector(limit=0, limit_per_host=64, ttl_dns_cache=5)
            self._session = aiohttp.ClientSession(
                connector=connector, cookie_jar=jar, auto_decompress=False, trust_env=False
            )
        return self._session

    async def close(self) -> None:
        """End all connections."""
        if self._session is not None:
            await self._session.close()
            await asyncio.sleep(0)  # transports close when the loop comes round


def _context(pem: bytes) -> ssl.SSLContext:
    """Trust as clients written in Go have it: any certificate of the bundle may be the last one
    asked for, and a name counts only where alternative names stand.
    """
    try:
        context = ssl.create_default_context(cadata=pem.decode("ascii") or None)
    except (ssl.SSLError, ValueError):
        text = "unable to load root certificates: unable to parse bytes as PEM block"
        raise OutboundError(text) from None
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.hostname_checks_common_name = False
    return context


async def _whole(answer: "aiohttp.ClientResponse") -> bytes:
    """The body, if it is not too long. Raises ValueError."""
    read = bytearray()
    async for piece in answer.content.iter_chunked(1 << 16):
        read += piece
        if len(read) > LARGEST:
            raise ValueError(f"the answer has more than {LARGEST} bytes")
    return bytes(read)


def _reason(error: Exception) -> str:
    import aiohttp  # there already: the error is its

    cause = getattr(error, "certificate_error", None)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"tls: failed to verify certificate: x509: {cause.verify_message}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "EOF"
    if isinstance(error, aiohttp.ClientConnectorError):  # its own words show our objects
        host = f"[{error.host}]" if ":" in error.host else error.host
        refused = isinstance(error.os_error, ConnectionRefusedError)
        words = "connect: connection refused" if refused else error.strerror
        return f"dial tcp {host}:{error.port}: {words}"
    return str(error) or type(error).__name__


def backend(store: Store, namespace: str, name: str, port: int) -> Address:
    """An address behind a service's port, any of them. Raises OutboundError where there is none.

    They are those of its EndpointSlices, of its Endpoints, or of the ready pods that it selects
    where nobody keeps any, or nobody has seen the first of them yet.
    """
    record = store.get(SERVICE.key(namespace, name))
    if record is None:
        raise OutboundError(f'service "{name}" not found')
    spec: Json = msgspec.json.decode(record.value)["spec"]
    wanted = next((one for one in spec.get("ports") or () if one["port"] == port), None)
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName")), port
    if wanted is None:
        raise OutboundError(f'no service port {port} found for service "{name}"')
    addresses = _addresses(store, namespace, name, spec, wanted)
    if not addresses:
        raise OutboundError(f'no endpoints available for service "{name}"')
    return random.choice(addresses)


def _addresses(
    store: Store, namespace: str, name: str, spec: Json, port: Json
) -> Sequence[Address]:
    slices = [
        piece
        for record in store.list(ENDPOINT_SLICE.key(namespace, ""))
        if name.encode() in record.value
        and _service_of(piece := msgspec.json.decode(record.value)) == name
    ]
    kept = store.get(ENDPOINTS.key(namespace, name))
    found: list[Address] = []
    if slices:
        found = [one for piece in slices for one in _sliced(piece, port)]
        final = not all(kept_here(piece) for piece in slices)
    elif kept is not None:
        endpoints: Json = msgspec.json.decode(kept.value)
        found, final = list(_listed(endpoints, port)), not kept_here(endpoints)
    else:
        final = False
    return found if found or final else list(_selected(store, namespace, spec, port))


def kept_here(endpoints: Json) -> bool:
    """Whether a controller keeps the Endpoints, or the slice: it may be behind by a moment."""
    labels: Mapping[str, str] = endpoints["metadata"].get("labels") or {}
    return any(labels.get(name) == keeper for name, keeper in KEEPERS)


def _service_of(piece: Json) -> str:
    labels: Mapping[str, str] = piece["metadata"].get("labels") or {}
    return labels.get("kubernetes.io/service-name", "")


def _sliced(piece: Json, port: Json) -> Iterator[Address]:
    """What a slice has; an endpoint that does not say whether it is ready is."""
    for item in piece.get("ports") or ():
        if (item.get("name") or "") == (port.get("name") or "") and item.get("port"):
            for endpoint in piece.get("endpoints") or ():
                if (endpoint.get("conditions") or {}).get("ready") is not False:
                    yield str(endpoint["addresses"][0]), int(item["port"])


def _listed(endpoints: Json, port: Json) -> Iterator[Address]:
    for subset in endpoints.get("subsets") or ():
        for item in subset.get("ports") or ():
            if (item.get("name") or "") == (port.get("name") or ""):
                for address in subset.get("addresses") or ():
                    yield str(address["ip"]), int(item["port"])


def _selected(store: Store, namespace: str, spec: Json, port: Json) -> Iterator[Address]:
    selector: Mapping[str, str] = spec.get("selector") or {}
    for record in store.list(Pod.resource.key(namespace, "")) if selector else ():
        pod = msgspec.json.decode(record.value, type=Pod)
        ready = condition(pod.status.conditions, "Ready")
        if ready is None or ready.status != "True" or not pod.status.pod_ip:
            continue
        number = target_port(pod, port)
        if selector.items() <= pod.metadata.labels.items() and number is not None:
            yield pod.status.pod_ip, number


def target_port(pod: Pod, port: Json) -> int | None:
    """The number, in this pod, of a service's port, whose target may be a name."""
    wanted = port.get("targetPort") or port["port"]
    if isinstance(wanted, int):
        return wanted
    ports = [port for one in pod.spec.containers for port in one.ports]
    return next((port.container_port for port in ports if port.name == wanted), None)
