"""Secrets that carry tokens: those of service accounts are filled in, those that are over go.

A secret of the type `kubernetes.io/service-account-token` names an account in an annotation; it is
given the account's token, the authority's certificate and the name of its namespace, and goes with
the account. A bootstrap token goes when its time is over. The key is elsewhere: what makes tokens
is handed over.
"""

import base64
import binascii
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

from argosy.api.meta import Key, Object
from argosy.api.resource import Resource
from argosy.api.resources.core import SECRET, SERVICE_ACCOUNT
from argosy.base.clock import Clock, parse_timestamp
from argosy.client.client import Client
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

NAME = "controllers/tokens"
CLEANER = "controllers/tokens-cleaning"
OF_ACCOUNTS = "kubernetes.io/service-account-token"
BOOTSTRAP = "bootstrap.kubernetes.io/token"
BOOTSTRAP_NAMESPACE = "kube-system"
RECHECK = 1.0
"""Seconds after which to look again where the cache lags."""
ACCOUNT = "kubernetes.io/service-account.name"
UID = "kubernetes.io/service-account.uid"

Issue = Callable[[str, str, str, str], Awaitable[str]]
"""Makes the token for a namespace, a secret, an account and the account's uid."""


class ServiceAccount(Object, frozen=True, kw_only=True):
    """An account: that it is there is all that matters here."""

    resource: ClassVar[Resource] = SERVICE_ACCOUNT


class Secret(Object, frozen=True, kw_only=True):
    """A secret. `data` is base64."""

    resource: ClassVar[Resource] = SECRET

    type: str = ""
    data: dict[str, str] = {}


@dataclass(frozen=True)
class AccountTokens:
    """Fills in secrets of service accounts. `authority` is PEM."""

    client: Client
    accounts: Informer[ServiceAccount]
    issue: Issue
    authority: bytes

    async def reconcile(self, secret: Secret) -> Result:
        """Fill in what is missing, or delete what belongs to nobody."""
        meta = secret.metadata
        name, uid = meta.annotations.get(ACCOUNT, ""), meta.annotations.get(UID, "")
        if secret.type != OF_ACCOUNTS or not name or meta.deletion_timestamp is not None:
            return DONE
        account = await self._account(name, meta.namespace, uid)
        if account is None:
            await self.client.delete(SECRET, meta.name, meta.namespace, uid=meta.uid)
            return DONE
        data = await self._missing(secret, account)
        if data:
            told = {ACCOUNT: name, UID: account.metadata.uid}
            # With the revision: a token that came meanwhile must not be replaced.
            patch = {
                "metadata": {"resourceVersion": meta.resource_version, "annotations": told},
                "data": data,
            }
            await self.client.merge(SECRET, meta.name, meta.namespace, patch)
        known = self.accounts.get(meta.namespace, name)
        if known is None or known.metadata.uid != account.metadata.uid:
            return Result(RECHECK)  # of one that goes before the cache shows it nothing is heard
        return DONE

    async def _account(self, name: str, namespace: str, uid: str) -> ServiceAccount | None:
        """The account, if it is the very one that is named."""
        account = self.accounts.get(namespace, name)
        if account is None or (uid and account.metadata.uid != uid):
            # The cache may lag behind.
            account = await self.client.find(ServiceAccount, name, namespace)
        return None if account is None or (uid and account.metadata.uid != uid) else account

    async def _missing(self, secret: Secret, account: ServiceAccount) -> dict[str, str]:
        meta, data = secret.metadata, {}
        if secret.data.get("ca.crt") != _text(self.authority):
            data["ca.crt"] = _text(self.authority)
        if not secret.data.get("namespace"):
            data["namespace"] = _text(meta.namespace.encode())
        if not secret.data.get("token"):
            name, uid = account.metadata.name, account.metadata.uid
            token = await self.issue(meta.namespace, meta.name, name, uid)
            data["token"] = _text(token.encode())
        return data


@dataclass(frozen=True)
class BootstrapCleaning:
    """Deletes bootstrap tokens that are over."""

    client: Client
    clock: Clock

    async def reconcile(self, secret: Secret) -> Result:
        """Delete the token, or look again when it ends."""
        meta = secret.metadata
        text = _bytes(secret.data.get("expiration", "")).decode(errors="replace")
        if meta.namespace != BOOTSTRAP_NAMESPACE or secret.type != BOOTSTRAP or not text:
            return DONE
        try:
            left = (parse_timestamp(text) - self.clock.now()).total_seconds()
        except ValueError:
            left = 0.0
        if left > 0:
            return Result(after=left)
        # With the revision: it may have got more time of which the cache doesn't know.
        seen = meta.resource_version
        await self.client.delete(SECRET, meta.name, meta.namespace, uid=meta.uid, revision=seen)
        return DONE


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except binascii.Error:
        return b""


def account_tokens(manager: Manager, issue: Issue, authority: bytes) -> Controller[Secret]:
    """The controller that fills in, on the manager's caches."""
    accounts = manager.informer(ServiceAccount)
    secrets = manager.informer(Secret, fields=f"type={OF_ACCOUNTS}")

    def of_account(account: ServiceAccount) -> Iterable[Key]:
        """The secrets of an account: it may have come, or gone."""
        for secret in secrets.items():
            if secret.metadata.namespace == account.metadata.namespace:
                if secret.metadata.annotations.get(ACCOUNT) == account.metadata.name:
                    yield secret.key

    controller = AccountTokens(manager.client_as(NAME), accounts, issue, authority)
    return Controller(
        name=NAME,
        informer=secrets,
        reconcile=controller.reconcile,
        watches=(Watch(accounts, of_account),),
    )


def bootstrap_cleaning(manager: Manager) -> Controller[Secret]:
    """The controller that deletes, on the manager's caches."""
    return Controller(
        name=CLEANER,
        informer=manager.informer(Secret, fields=f"type={BOOTSTRAP}"),
        reconcile=BootstrapCleaning(manager.client_as(CLEANER), manager.clock).reconcile,
    )
