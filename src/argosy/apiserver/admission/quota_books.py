"""The ledgers of all quotas that somebody has asked about, kept up with the store."""

from collections.abc import Iterator, Sequence

from argosy.api.quotas import counting
from argosy.apiserver.admission.quota_ledger import Ledger
from argosy.apiserver.admission.rule import Json
from argosy.apiserver.admission.views import Views
from argosy.store.interface import Change, CompactedError, Record, Store, Watch


class Books:
    """Ledgers by the keys of their quotas."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._specs = Views(_spec)
        self._ledgers: dict[str, Ledger] = {}
        self._about: dict[str, set[str]] = {}  # which quotas count what lies in a folder
        self._changes: Watch | None = None

    def of(self, quotas: Sequence[Record]) -> Iterator[tuple[Record, Ledger]]:
        """Each of these quotas with its ledger, as of now."""
        self._follow()
        for record in quotas:
            spec = self._specs.of(record)
            ledger = self._ledgers.get(record.key)
            if ledger is None:
                ledger = self._ledgers[record.key] = Ledger(spec)
                self._fill(record.key, ledger)
            elif ledger.spec != spec:
                ledger.begin(spec)
                self._fill(record.key, ledger)
            yield record, ledger

    def _follow(self) -> None:
        """Read what has changed since the last look; all anew where that is too much."""
        if self._changes is None:
            self._changes = self._store.watch("/", self._store.revision)
        try:
            while self._changes.revision < self._store.revision:
                for change in self._changes.ready():
                    self._note(change)
        except CompactedError:
            self._changes = self._store.watch("/", self._store.revision)
            for key, ledger in self._ledgers.items():
                ledger.begin(ledger.spec)
                self._fill(key, ledger)

    def _note(self, change: Change) -> None:
        folder = change.key.rpartition("/")[0]
        for key in self._about.get(folder, ()):
            if change.value is not None:
                self._ledgers[key].write(_resource(folder), change.value)
            elif change.previous is not None:
                self._ledgers[key].delete(change.previous)
        if change.value is None and change.key in self._ledgers:
            self._forget(change.key)
            del self._ledgers[change.key]

    def _forget(self, key: str) -> None:
        for keys in self._about.values():
            keys.discard(key)

    def _fill(self, key: str, ledger: Ledger) -> None:
        self._forget(key)
        namespace = key.split("/")[3]
        for resource in counting(ledger.names):
            plural, _, group = resource.partition(".")
            folder = f"/{group}/{plural}/{namespace}"
            self._about.setdefault(folder, set()).add(key)
            for record in self._store.list(f"{folder}/"):
                ledger.write(resource, record.value)


def _spec(quota: Json) -> Json:
    spec: Json = quota.get("spec") or {}
    return spec


def _resource(folder: str) -> str:
    """Of which resource the objects in a folder are: `/group/plural/namespace`."""
    _, group, plural, _ = folder.split("/")
    return f"{plural}.{group}" if group else plural
