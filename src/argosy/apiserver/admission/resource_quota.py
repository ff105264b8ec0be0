"""ResourceQuota: a namespace takes no more than its quotas allow, however many ask at once.

The check and the reservation are one step, and what is used is told from the objects themselves,
not from what the quota's status says of them: a quota holds from the moment it is stored, and what
is deleted is free at once. The status follows: it is written right behind the object, mostly in the
same batch of the store, and again when a call has ended.
"""

import asyncio
import logging
from functools import partial

import msgspec

from argosy.api.amounts import Amounts, listed, parsed, shown
from argosy.api.quotas import IGNORED, counted, covers, lacking
from argosy.api.resources.core import RESOURCE_QUOTA
from argosy.apiserver.admission.quota_books import Books
from argosy.apiserver.admission.quota_ledger import ZERO, Ledger
from argosy.apiserver.admission.rule import Attributes
from argosy.store.interface import Record, Store, StoreUnavailableError

log = logging.getLogger(__name__)

PREFIX = RESOURCE_QUOTA.key()
GROWING = frozenset({"persistentvolumeclaims", "resourceclaims.resource.k8s.io", "services"})
"""Of these an update may take more than before; most are counted when they are made only."""


class ResourceQuotas:
    """The last rule of all. It sees every write in a namespace, as any may change what is used."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._books = Books(store)
        self._due: set[str] = set()
        self._writing: set[asyncio.Task[None]] = set()

    def __call__(self, attributes: Attributes) -> None:
        """Refuse what would be too much; reserve what is not."""
        namespace = attributes.target.namespace
        quotas = self._store.list(f"{PREFIX}{namespace}/") if namespace else []
        if not quotas and attributes.target.served.storage.plural != RESOURCE_QUOTA.plural:
            return
        if _may_take(attributes):
            self._admit(attributes, quotas)
        if not attributes.dry_run:
            attributes.afterwards.append(partial(self._tell, namespace))

    def _admit(self, attributes: Attributes, quotas: list[Record]) -> None:
        resource, new = attributes.target.served.storage.qualified, attributes.new
        about = [
            ledger
            for record, ledger in self._books.of(quotas)
            if _checked(attributes, record, ledger, resource)
        ]
        if attributes.dry_run or not about:
            return
        for ledger in about:
            uid, ticket = new["metadata"]["uid"], object()
            ledger.reserve(uid, ticket, resource, new)
            attributes.afterwards.append(partial(ledger.release, uid, ticket))
        self._tell(attributes.target.namespace)

    def _tell(self, namespace: str) -> None:
        """Have the status of the namespace's quotas written, unless that is about to be done."""
        for record in self._store.list(f"{PREFIX}{namespace}/"):
            if record.key not in self._due:
                self._due.add(record.key)
                task = asyncio.get_running_loop().create_task(self._write(record.key))
                self._writing.add(task)
                task.add_done_callback(self._writing.discard)

    async def _write(self, key: str) -> None:
        """Write the status of one quota, if there is news."""
        self._due.discard(key)  # what comes from here on is news again
        try:
            await self._store.write(key, self._with_status)
        except StoreUnavailableError as error:
            log.warning("quota status not written", extra={"quota": key, "error": str(error)})

    def _with_status(self, record: Record | None, revision: int) -> bytes | None:
        """The quota with what is used of it now; None where it says so already."""
        if record is None:
            return None
        (_, ledger), *_ = self._books.of([record])
        quota = msgspec.json.decode(record.value)
        used = ledger.used()
        status = {
            "hard": (quota.get("spec") or {}).get("hard") or {},
            "used": {name: shown(name, used[name]) for name in ledger.names},
        }
        if quota.get("status") == status:
            return None
        meta = {**quota["metadata"], "resourceVersion": str(revision)}
        return msgspec.json.encode({**quota, "metadata": meta, "status": status})


def _may_take(attributes: Attributes) -> bool:
    """Whether the object may take more by this write than it did."""
    resource = attributes.target.served.storage.qualified
    subresource, old = attributes.target.subresource, attributes.old
    if attributes.operation == "CREATE":
        return not subresource and resource not in IGNORED
    if attributes.operation != "UPDATE" or old is None:
        return False
    if resource == "pods" and not subresource:
        field = "activeDeadlineSeconds"  # another scope
        return (field in attributes.new["spec"]) is not (field in old["spec"])
    if resource == "pods":
        return subresource == "resize"
    return not subresource and resource in GROWING


def _checked(attributes: Attributes, record: Record, ledger: Ledger, resource: str) -> bool:
    """Whether the object takes more of the quota than before. Raises StatusError 403."""
    new, old = attributes.new, attributes.old
    names, name = counted(resource, ledger.names), record.key.rpartition("/")[2]
    if not names or not covers(ledger.spec, resource, new):
        return False
    if resource == "pods" and (text := lacking(names, new)):
        raise attributes.refusal(f"failed quota: {name}: {text}")
    asked = ledger.takes(resource, new)
    before: Amounts = {} if old is None else ledger.takes(resource, old)
    more = {
        key: amount - before.get(key, ZERO)
        for key, amount in asked.items()
        if amount > before.get(key, ZERO)
    }
    if more:
        _within(attributes, name, more, ledger)
    return bool(more)


def _within(attributes: Attributes, name: str, more: Amounts, ledger: Ledger) -> None:
    used, hard = ledger.used(), parsed(ledger.spec["hard"])
    over = [key for key, amount in more.items() if used[key] + amount > hard[key]]
    if over:
        requested, there, limited = (
            listed({key: amounts[key] for key in over}) for amounts in (more, used, hard)
        )
        raise attributes.refusal(
            f"exceeded quota: {name}, requested: {requested}, used: {there}, limited: {limited}"
        )
