"""Acting as somebody else: whom the headers make, and who may send them."""

from collections.abc import Mapping
from typing import Any

import pytest

from argosy.apiserver.authentication.impersonation import concerns, impersonated
from argosy.apiserver.authorization.attributes import Attributes
from argosy.apiserver.request import User
from argosy.base.errors import StatusError
from tests.apiserver.kit import Api

ADMIN = User("admin", ("system:masters",))
WHOAMI = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


def acting(headers: Mapping[str, str]) -> tuple[User, list[Attributes]]:
    demanded: list[Attributes] = []
    return impersonated(ADMIN, headers, demanded.append), demanded


@pytest.mark.parametrize(
    ("headers", "name", "groups"),
    [
        ({}, "bob", ("system:authenticated",)),
        ({"impersonate-group": "a"}, "bob", ("a", "system:authenticated")),
        ({"impersonate-group": "a, b"}, "bob", ("a", "b", "system:authenticated")),
        ({"impersonate-group": "system:authenticated"}, "bob", ("system:authenticated",)),
        ({"impersonate-group": "system:unauthenticated"}, "bob", ("system:unauthenticated",)),
        ({"impersonate-user": "system:anonymous"}, "system:anonymous", ("system:unauthenticated",)),
        ({"impersonate-user": "j\u00c3\u00bcrgen"}, "j\u00fcrgen", ("system:authenticated",)),
        (
            {"impersonate-user": "system:serviceaccount:ns:sa"},
            "system:serviceaccount:ns:sa",
            ("system:serviceaccounts", "system:serviceaccounts:ns", "system:authenticated"),
        ),
        (
            {"impersonate-user": "system:serviceaccount:ns:sa", "impersonate-group": "a"},
            "system:serviceaccount:ns:sa",
            ("a", "system:authenticated"),
        ),
        (
            {"impersonate-user": "system:serviceaccount:No:sa"},  # no namespace is called so
            "system:serviceaccount:No:sa",
            ("system:authenticated",),
        ),
    ],
)
def test_headers_make_a_user(headers: dict[str, str], name: str, groups: tuple[str, ...]) -> None:
    user, _ = acting({"impersonate-user": "bob", **headers})
    assert user == User(name, groups)


def test_everything_that_is_named_is_demanded() -> None:
    headers = {
        "accept": "*/*",
        "impersonate-extra-example.com%2fScopes": "view, edit",
        "impersonate-group": "devs",
        "impersonate-uid": "u-1",
        "impersonate-user": "bob",
    }
    user, demanded = acting(headers)

    extra = {"example.com/scopes": ("view", "edit")}
    assert user == User("bob", ("devs", "system:authenticated"), "u-1", extra)
    assert all((item.user, item.verb) == (ADMIN, "impersonate") for item in demanded)
    assert [(item.group, item.whole_resource, item.name) for item in demanded] == [
        ("", "users", "bob"),
        ("", "groups", "devs"),
        ("authentication.k8s.io", "userextras/example.com/scopes", "view"),
        ("authentication.k8s.io", "userextras/example.com/scopes", "edit"),
        ("authentication.k8s.io", "uids", "u-1"),
    ]


@pytest.mark.parametrize(
    ("headers", "shown"),
    [
        ({"impersonate-group": "g"}, "{Group  g    }"),
        ({"impersonate-uid": "u"}, "{UID  u  authentication.k8s.io/v1  }"),
        (
            {"impersonate-extra-k": "v", "impersonate-user": ""},
            "{UserExtra  v  authentication.k8s.io/v1  k}",
        ),
    ],
)
def test_nothing_is_impersonated_without_a_user(headers: dict[str, str], shown: str) -> None:
    with pytest.raises(StatusError) as caught:
        acting(headers)
    assert caught.value.code == 400
    assert caught.value.message == f"requested [{shown}] without impersonating a user"


def test_other_headers_are_no_concern() -> None:
    assert not concerns({"accept": "*/*", "user-agent": "impersonate-user"})
    assert concerns({"impersonate-extra-x": "y"})


async def ask(api: Api, **headers: str) -> Any:
    sent = {f"impersonate-{name}": value for name, value in headers.items()}
    return await api.ask("POST", WHOAMI, {}, headers=sent)


async def test_the_server_takes_the_user_for_the_one_who_asks(api: Api) -> None:
    answer = await ask(api, user="bob", group="devs")
    info = answer.body["status"]["userInfo"]
    assert info == {"username": "bob", "groups": ["devs", "system:authenticated"]}

    refused = await api.ask("GET", "/api/v1/nodes", headers={"impersonate-user": "bob"})
    assert (refused.status, refused.message) == (
        403,
        'nodes is forbidden: User "bob" cannot list resource "nodes" in API group "" '
        "at the cluster scope",
    )
    masters = {"impersonate-user": "eve", "impersonate-group": "system:masters"}
    assert (await api.ask("GET", "/api/v1/nodes", headers=masters)).status == 200
    assert (await ask(api, group="devs")).status == 400


async def test_impersonation_does_not_chain(api: Api) -> None:
    """Headers are read once, for whoever shows the token: nobody can add to them."""
    token_path = "/api/v1/namespaces/default/serviceaccounts/default/token"
    token = (await api.ask("POST", token_path, {})).body["status"]["token"]
    as_account = {"authorization": f"Bearer {token}"}
    for named, mode in (
        ({"impersonate-user": "kubernetes-admin"}, "user-info"),
        ({"impersonate-user": "system:serviceaccount:a:b"}, "serviceaccount"),
    ):
        refused = await api.ask("POST", WHOAMI, {}, headers={**as_account, **named})
        assert refused.status == 403
        assert refused.message.startswith(
            "selfsubjectreviews.authentication.k8s.io is forbidden: "
            'User "system:serviceaccount:default:default" cannot '
            f'impersonate-on:{mode}:create resource "selfsubjectreviews" '
        )
