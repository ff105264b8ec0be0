"""Gives every namespace its ServiceAccount `default`, and gives it anew when it was deleted.

Source: upstream's service accounts controller.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from argosy.api.core import Namespace
from argosy.api.meta import Key, PartialObject
from argosy.api.resources.core import SERVICE_ACCOUNT
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

NAME = "controllers/serviceaccounts"
DEFAULT = "default"


@dataclass(frozen=True)
class ServiceAccounts:
    """Makes what is missing."""

    client: Client
    accounts: Informer[PartialObject]

    async def reconcile(self, namespace: Namespace) -> Result:
        """Make the account, unless it is there or the namespace is going."""
        meta = namespace.metadata
        if meta.deletion_timestamp or self.accounts.get(meta.name, DEFAULT) is not None:
            return DONE
        body = {"metadata": {"name": DEFAULT, "namespace": meta.name}}
        try:
            made = await self.client.create(SERVICE_ACCOUNT, body)
            await self.accounts.reached(made["metadata"]["resourceVersion"])
            if self.accounts.get(meta.name, DEFAULT) is None:
                return Result(after=0.0)  # it is gone before the cache has shown it
        except StatusError as error:
            # Somebody was quicker, or the namespace has begun to go.
            if error.code not in (403, 404, 409):
                raise
        return DONE


def namespace_of(account: PartialObject) -> Iterable[Key]:
    """The namespace that an account may have left."""
    if account.metadata.name == DEFAULT:
        yield ("", account.metadata.namespace)


def service_accounts(manager: Manager) -> Controller[Namespace]:
    """The controller, on the manager's caches."""
    accounts = manager.informer(PartialObject, SERVICE_ACCOUNT)
    controller = ServiceAccounts(manager.client_as(NAME), accounts)
    return Controller(
        name=NAME,
        informer=manager.informer(Namespace),
        reconcile=controller.reconcile,
        watches=(Watch(accounts, namespace_of),),
    )
