"""Headers of a proxy: what they make, of whom they are taken, and that nobody reads them again."""

import pytest
from cryptography import x509

from argosy.apiserver.authentication.certificates import ClientCertificates
from argosy.apiserver.authentication.frontproxy import Claims, FrontProxy, ProxyRules
from argosy.apiserver.request import User
from argosy.http.message import Request
from argosy.testing.clock import FakeClock
from tests.apiserver.authentication.test_certificates import CN, JANE, shown

RULES = ProxyRules(
    authority=b"",
    username=("x-remote-user", "x-user"),
    uid=("x-remote-uid",),
    group=("x-remote-group",),
    extra=("x-remote-extra-", "x-more-"),
)


def read(headers: dict[str, str], rules: ProxyRules = RULES, **repeated: list[str]) -> User | None:
    apart = {name.replace("_", "-"): values for name, values in repeated.items()}
    request = Request("GET", "/api", "", headers, repeated=apart or None)
    return FrontProxy(rules, ClientCertificates(FakeClock())).user(request, JANE)


def test_headers_make_a_user() -> None:
    user = read(
        {
            "x-remote-user": "j\u00c3\u00bcrgen",
            "x-remote-uid": "u-1",
            "x-remote-group": "a, b",
            "x-remote-extra-acme.io%2fScopes": "view",
            "x-more-acme.io%2fscopes": "edit",
        },
        x_remote_group=["a", "b", ""],
    )
    assert user == User(
        "j\u00fcrgen",
        ("a", "b", "system:authenticated"),
        "u-1",
        {"acme.io/scopes": ("view", "edit")},
    )


def test_a_group_with_a_comma_is_one_group() -> None:
    user = read({"x-remote-user": "eve", "x-remote-group": "a, system:masters"})
    assert user == User("eve", ("a, system:masters", "system:authenticated"))


@pytest.mark.parametrize("headers", [{}, {"x-remote-user": ""}, {"x-remote-group": "a"}])
def test_nobody_is_named(headers: dict[str, str]) -> None:
    assert read(headers) is None


def test_another_header_may_name_the_user() -> None:
    user = read({"x-remote-user": "", "x-user": "bob"})
    assert user is not None
    assert user.name == "bob"


@pytest.mark.parametrize(("names", "known"), [(("jane",), True), (("proxy",), False), ((), True)])
def test_the_proxys_name_counts(names: tuple[str, ...], known: bool) -> None:
    rules = ProxyRules(authority=b"", names=frozenset(names), username=("x-remote-user",))
    assert (read({"x-remote-user": "bob"}, rules) is not None) is known


def test_the_authority_counts() -> None:
    """A certificate that TLS has verified, but of another authority."""
    other = x509.load_der_x509_certificate(shown([(CN, "authority")]))
    strict = FrontProxy(RULES, ClientCertificates(FakeClock(), ()))
    request = Request("GET", "/api", "", {"x-remote-user": "bob"})
    assert strict.user(request, JANE) is None
    assert FrontProxy(RULES, ClientCertificates(FakeClock(), (other,))).user(request, JANE) is None


@pytest.mark.parametrize(
    ("claims", "gone"),
    [
        (
            Claims(),
            {
                "impersonate-user",
                "x-remote-user",
                "x-remote-group",
                "x-remote-uid",
                "x-remote-extra-a",
            },
        ),
        (
            Claims.of(RULES),
            {
                "impersonate-user",
                "x-remote-user",
                "x-remote-group",
                "x-remote-uid",
                "x-remote-extra-a",
                "x-user",
                "x-more-a",
            },
        ),
    ],
)
def test_nobody_reads_them_again(claims: Claims, gone: set[str]) -> None:
    others = {"accept", "x-remote-address", "x-user", "x-more-a"}
    names = others | gone
    request = Request("GET", "/api", "", dict.fromkeys(names, "a"))
    assert set(claims.without(request).headers) == names - gone
    plain = Request("GET", "/api", "", {"accept": "*/*"})
    assert claims.without(plain) is plain
