"""Who may do what, as long as there are no roles."""

import pytest

from argosy.apiserver.authorization.attributes import Attributes
from argosy.apiserver.authorization.authorizer import (
    ALLOWED,
    AUTHENTICATED,
    MASTERS,
    UNAUTHENTICATED,
    Authorizer,
    is_master,
)
from argosy.apiserver.request import User
from argosy.base.errors import StatusError

AUTHORIZER = Authorizer()
SELF = ("selfsubjectaccessreviews", "selfsubjectrulesreviews")


def may(groups: tuple[str, ...], verb: str, path: str) -> bool:
    user = User("someone", groups)
    return AUTHORIZER.authorize(Attributes(user=user, verb=verb, path=path)).allowed


@pytest.mark.parametrize(
    ("path", "group"),
    [
        ("/healthz", UNAUTHENTICATED),
        ("/livez", UNAUTHENTICATED),
        ("/readyz", UNAUTHENTICATED),
        ("/version", UNAUTHENTICATED),
        ("/api", AUTHENTICATED),
        ("/api/v1", AUTHENTICATED),
        ("/apis/apps/v1", AUTHENTICATED),
        ("/openapi/v3/api/v1", AUTHENTICATED),
        ("/readyz", AUTHENTICATED),
        ("/metrics", "system:monitoring"),
        ("/livez/ping", "system:monitoring"),
        ("/openid/v1/jwks", "system:serviceaccounts"),
        ("/anything", MASTERS),
    ],
)
def test_paths_are_for_groups(path: str, group: str) -> None:
    assert may((group,), "get", path)
    assert not may(("nobody",), "get", path)
    assert may((group,), "post", path) is (group == MASTERS)


@pytest.mark.parametrize("path", ["/", "/metrics", "/apix", "/healthz/", "/openid/v1/jwks", ""])
def test_other_paths_are_for_nobody(path: str) -> None:
    assert not may((AUTHENTICATED, UNAUTHENTICATED), "get", path)


@pytest.mark.parametrize("resource", SELF)
def test_everybody_may_ask_about_themselves(resource: str) -> None:
    user = User("bob", (AUTHENTICATED,))
    asked = Attributes(user=user, verb="create", group="authorization.k8s.io", resource=resource)
    assert AUTHORIZER.authorize(asked) == ALLOWED
    AUTHORIZER.demand(asked)
    for verb, group, name, below in (
        ("get", "authorization.k8s.io", resource, ""),
        ("create", "", resource, ""),
        ("create", "authorization.k8s.io", "subjectaccessreviews", ""),
        ("create", "authorization.k8s.io", resource, "status"),
        ("*", "*", "*", ""),
    ):
        other = Attributes(user=user, verb=verb, group=group, resource=name, subresource=below)
        assert not AUTHORIZER.authorize(other).allowed
        with pytest.raises(StatusError, match="forbidden"):
            AUTHORIZER.demand(other)


def test_masters_may_do_all_and_only_by_that_name() -> None:
    asked = Attributes(user=User("a", (MASTERS,)), verb="delete", resource="nodes", name="n")
    assert AUTHORIZER.authorize(asked) == ALLOWED
    for user in (User(MASTERS), User("admin", ("system:masters ",)), User("", ("*",))):
        assert not is_master(user)
        other = Attributes(user=user, verb="delete", resource="nodes", name="n")
        assert not AUTHORIZER.authorize(other).allowed


def test_the_rules_of_somebody_are_what_is_granted_to_their_groups() -> None:
    assert not list(AUTHORIZER.rules_of(User("x", ("nobody",))))
    rules = list(AUTHORIZER.rules_of(User("x", (MASTERS,))))
    assert [rule.resources or rule.paths for rule in rules] == [("*",), ("*",)]
