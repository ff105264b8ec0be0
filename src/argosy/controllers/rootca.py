"""Publishes the cluster's certificate authority to every namespace, as kube-root-ca.crt.

Pods know the API server by it. Source: upstream's root CA certificate publisher.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from argosy.api.core import ConfigMap, Namespace
from argosy.api.meta import Key
from argosy.base.errors import StatusError
from argosy.client.client import Client
from argosy.runtime.controller import DONE, Controller, Result, Watch
from argosy.runtime.informer import Informer
from argosy.runtime.manager import Manager

NAME: Final = "controllers/rootca"
AUTHORITY: Final = "kube-root-ca.crt"
FILE: Final = "ca.crt"
DESCRIPTION: Final = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal "
    "endpoints such as the internal service IP or kubernetes.default.svc. No other usage is "
    "guaranteed across distributions of Kubernetes clusters."
)


@dataclass(frozen=True)
class RootCA:
    """Makes what is missing, and mends what says something else."""

    client: Client
    published: Informer[ConfigMap]
    authority: str

    async def reconcile(self, namespace: Namespace) -> Result:
        """Publish the authority in the namespace, unless that is going."""
        meta = namespace.metadata
        if meta.deletion_timestamp:
            return DONE
        known = self.published.get(meta.name, AUTHORITY)
        wanted = {FILE: self.authority}
        if known is not None and known.data == wanted:
            return DONE
        try:
            if known is None:
                made = await self.client.create(ConfigMap.resource, self._body(meta.name))
                await self.published.reached(made["metadata"]["resourceVersion"])
                if self.published.get(meta.name, AUTHORITY) is None:
                    return Result(after=0.0)  # it is gone before the cache has shown it
            else:
                await self._mend(known, wanted)
        except StatusError as error:
            # Somebody was quicker, or the namespace has begun to go.
            if error.code not in (403, 404, 409):
                raise
        return DONE

    def _body(self, namespace: str) -> dict[str, Any]:
        notes = {"kubernetes.io/description": DESCRIPTION}
        meta = {"name": AUTHORITY, "namespace": namespace, "annotations": notes}
        return {"metadata": meta, "data": {FILE: self.authority}}

    async def _mend(self, known: ConfigMap, wanted: dict[str, str]) -> None:
        """Nothing but the authority shall be in it."""
        strange = {key: None for key in known.data if key not in wanted}
        meta = known.metadata
        patch = {"metadata": {"resourceVersion": meta.resource_version}, "data": strange | wanted}
        await self.client.merge(ConfigMap.resource, meta.name, meta.namespace, patch)


def namespace_of(published: ConfigMap) -> Iterable[Key]:
    """The namespace that it is in, or was."""
    yield ("", published.metadata.namespace)


def root_ca(manager: Manager, authority: bytes) -> Controller[Namespace]:
    """The controller, on the manager's caches; `authority` is PEM."""
    published = manager.informer(ConfigMap, fields=f"metadata.name={AUTHORITY}")
    controller = RootCA(manager.client_as(NAME), published, authority.decode("ascii"))
    return Controller(
        name=NAME,
        informer=manager.informer(Namespace),
        reconcile=controller.reconcile,
        watches=(Watch(published, namespace_of),),
    )
