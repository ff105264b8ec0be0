"""Addresses, networks and URLs. IPv4 inside of IPv6 and zones are refused, as upstream does."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from urllib.parse import parse_qs, quote, unquote

from argosy.api.cel.dispatch import Function, overloads
from argosy.api.cel.values import CelError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Ip:
    """`ip('10.0.0.1')`."""

    cel_type: ClassVar[str] = "net.IP"
    address: Address

    def __str__(self) -> str:
        return str(self.address)


@dataclass(frozen=True, slots=True)
class Cidr:
    """`cidr('10.0.0.0/8')`: an address with the length of its network's prefix."""

    cel_type: ClassVar[str] = "net.CIDR"
    address: Address
    length: int

    def __str__(self) -> str:
        return f"{self.address}/{self.length}"

    @property
    def network(self) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
        """The addresses under the prefix."""
        return ipaddress.ip_network(f"{self.address}/{self.length}", strict=False)


def _address(text: str) -> Address:
    try:
        if len(text) > 64:
            raise ValueError("unable to parse IP")
        found = ipaddress.ip_address(text)
    except ValueError as error:
        raise CelError(
            f'IP Address "{text[:64]}" parse error during conversion from string: {error}'
        ) from None
    if isinstance(found, ipaddress.IPv6Address):
        if found.scope_id:
            raise CelError(f'IP address "{text}" with zone value is not allowed')
        if found.ipv4_mapped:
            raise CelError(f'IPv4-mapped IPv6 address "{text}" is not allowed')
    return found


def _ip(text: str) -> Ip:
    return Ip(_address(text))


def _cidr(text: str) -> Cidr:
    address, slash, length = text.partition("/")
    try:
        found = _address(address)
    except CelError as error:
        raise CelError(
            f"network address parse error during conversion from string: {error}"
        ) from None
    if (
        not slash
        or not re.fullmatch(r"0|[1-9]\d{0,2}", length)
        or int(length) > found.max_prefixlen
    ):
        raise CelError(f'network address parse error during conversion from string: "{text[:64]}"')
    return Cidr(found, int(length))


def _valid(parse: Any) -> Any:
    def test(text: str) -> bool:
        try:
            parse(text)
        except CelError:
            return False
        return True

    return test


def _global_unicast(address: Address) -> bool:
    return not (
        address.is_unspecified
        or address.is_loopback
        or address.is_multicast
        or address.is_link_local
        or str(address) == "255.255.255.255"
    )


def _link_local_multicast(address: Address) -> bool:
    network = "224.0.0.0/24" if address.version == 4 else "ff02::/16"
    return address in ipaddress.ip_network(network)


def _contains_ip(holder: Cidr, item: Ip) -> bool:
    return item.address in holder.network


def _contains_cidr(holder: Cidr, item: Cidr) -> bool:
    return holder.length <= item.length and item.address in holder.network


@dataclass(frozen=True, slots=True)
class Url:
    """`url('https://example.com/')`, in the parts that can be asked for."""

    cel_type: ClassVar[str] = "kubernetes.URL"
    scheme: str
    host: str  # with the port
    path: str
    query: str

    @property
    def hostname(self) -> str:
        """The host without its port and brackets."""
        if self.host.startswith("["):
            return self.host[1:].partition("]")[0]
        return self.host.partition(":")[0]

    @property
    def port(self) -> str:
        """The port, as it is written."""
        return self.host.rpartition("]")[2].partition(":")[2]

    @property
    def escaped_path(self) -> str:
        """The path as it goes over the wire."""
        return quote(unquote(self.path), safe="/:@!$&'()*+,;=-._~%")

    def parsed_query(self) -> dict[str, list[str]]:
        """The query's values by name."""
        return parse_qs(self.query, keep_blank_values=True, max_num_fields=10_000)


_URL: Final = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?://([^/?#]*))?([^?]*)(?:\?(.*))?")
_HOST: Final = re.compile(r"(?:[^@]*@)?((?:\[[0-9A-Fa-f:.%]+\]|[^\[\]:@<>\"\\ ]*)(?::\d*)?)")


def parse_url(text: str) -> Url:
    """An absolute URL or an absolute path, as Go's ParseRequestURI takes them."""
    found = None if re.search(r"[\x00-\x20\x7f]", text) else _URL.fullmatch(text)
    broken = re.search(r"%(?![0-9A-Fa-f]{2})", text)
    if found is None or broken or not text or (not found[1] and not text.startswith("/")):
        raise CelError(
            f'URL parse error during conversion from string: parse "{text[:64]}": '
            "invalid URI for request"
        )
    host = _HOST.fullmatch(found[2] or "")
    if host is None:
        raise CelError(f'URL parse error during conversion from string: parse "{text[:64]}"')
    if found[1] and found[2] is None and not found[3].startswith("/"):
        return Url(found[1].lower(), "", "", found[4] or "")  # opaque, as mailto:
    return Url((found[1] or "").lower(), host[1], found[3], found[4] or "")


FUNCTIONS: Final[Mapping[str, Function]] = {
    "ip": overloads(((str,), _ip), ((Cidr,), lambda a: Ip(a.address))),
    "isIP": overloads(((str,), _valid(_ip))),
    "ip.isCanonical": overloads(((str,), lambda a: str(_address(a)) == a)),
    "family": overloads(((Ip,), lambda a: a.address.version)),
    "isUnspecified": overloads(((Ip,), lambda a: a.address.is_unspecified)),
    "isLoopback": overloads(((Ip,), lambda a: a.address.is_loopback)),
    "isLinkLocalMulticast": overloads(((Ip,), lambda a: _link_local_multicast(a.address))),
    "isLinkLocalUnicast": overloads(((Ip,), lambda a: a.address.is_link_local)),
    "isGlobalUnicast": overloads(((Ip,), lambda a: _global_unicast(a.address))),
    "cidr": overloads(((str,), _cidr)),
    "isCIDR": overloads(((str,), _valid(_cidr))),
    "containsIP": overloads(
        ((Cidr, Ip), _contains_ip), ((Cidr, str), lambda a, b: _contains_ip(a, _ip(b)))
    ),
    "containsCIDR": overloads(
        ((Cidr, Cidr), _contains_cidr), ((Cidr, str), lambda a, b: _contains_cidr(a, _cidr(b)))
    ),
    "prefixLength": overloads(((Cidr,), lambda a: a.length)),
    "masked": overloads(((Cidr,), lambda a: Cidr(a.network.network_address, a.length))),
    "url": overloads(((str,), parse_url)),
    "isURL": overloads(((str,), _valid(parse_url))),
    "getScheme": overloads(((Url,), lambda a: a.scheme)),
    "getHost": overloads(((Url,), lambda a: a.host)),
    "getHostname": overloads(((Url,), lambda a: a.hostname)),
    "getPort": overloads(((Url,), lambda a: a.port)),
    "getEscapedPath": overloads(((Url,), lambda a: a.escaped_path)),
    "getQuery": overloads(((Url,), lambda a: a.parsed_query())),
}
