"""What a rule sees, made by hand: a real server's kinds and store, whoever asks for whatever."""

from collections.abc import Callable
from typing import Any

from argosy.apiserver.admission.rule import Attributes, Operation
from argosy.apiserver.authorization.attributes import Attributes as Access
from argosy.apiserver.authorization.authorizer import ALLOWED, Decision
from argosy.apiserver.request import Target, User
from tests.apiserver.kit import Api

Json = dict[str, Any]
ME = User("me")


def asked(
    api: Api,
    plural: str,
    new: Json,
    old: Json | None = None,
    *,
    group: str = "",
    version: str = "v1",
    subresource: str = "",
    name: str = "",
    operation: Operation | None = None,
    user: User = ME,
    authorize: Callable[[Access], Decision] = lambda _: ALLOWED,
) -> Attributes:
    """A write to the namespace `default`, or of a kind without namespaces."""
    server = api.cluster.plane.server
    served = server._catalog.find(group, version, plural)
    namespace = "default" if served.resource.namespaced else ""
    store = server._objects.store
    return Attributes(
        operation=operation or ("CREATE" if old is None else "UPDATE"),
        target=Target(served, namespace, name, subresource),
        user=user,
        new=new,
        old=old,
        look=store.get,
        items=store.list,
        authorize=authorize,
        afterwards=[],
        warnings=[],
    )
