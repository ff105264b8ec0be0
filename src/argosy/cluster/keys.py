"""Keys that plugins keep: who looks after them, and how the server tells of them.

That is a health check, and metrics under upstream's names.

Source of names: apiserver's `storage/value/encrypt/envelope/metrics`, Kubernetes 1.36; the label of
the server's identity is left out, for there is one server.
"""

from collections.abc import Coroutine, Iterator

from argosy.apiserver.app import APIServer
from argosy.base.clock import Clock
from argosy.base.exposition import Family, Histogram
from argosy.http.checks import Check
from argosy.store.kms.figures import BOUNDS
from argosy.store.sealing import Remote, Sealing
from argosy.store.sqlite import SqliteStore

PREFIX = "apiserver_envelope_encryption_"


def keeping(
    store: SqliteStore, sealing: Sealing | None, clock: Clock
) -> Iterator[Coroutine[None, None, None]]:
    """What looks after such keys while the store is open, where there are any."""
    if sealing is not None and sealing.remotes:
        from argosy.store.kms.keeper import Keeper

        yield Keeper(store, sealing, clock).run()


def show(server: APIServer, sealing: Sealing | None) -> None:
    """Let `server` tell of the plugins, where there are any."""
    if sealing is None or not sealing.remotes:
        return
    server.state.more = (Check("kms-providers", sealing.failure),)
    server.metrics.others.append(lambda: _families(sealing.remotes))


def _families(remotes: tuple[Remote, ...]) -> Iterator[Family | Histogram]:
    calls = Histogram(
        f"{PREFIX}kms_operations_latency_seconds",
        "Seconds until a plugin had answered.",
        BOUNDS,
        ("provider_name", "method_name", "grpc_status_code"),
    )
    uses = Family(
        f"{PREFIX}key_id_hash_total",
        "counter",
        "Values that were sealed or opened by a key.",
        ("transformation_type", "provider_name", "key_id_hash"),
    )
    wrong = Family(
        f"{PREFIX}invalid_key_id_from_status_total",
        "counter",
        "Statuses of a plugin with an id of a key that can't be one.",
        ("provider_name", "error"),
    )
    seeds = Family(
        f"{PREFIX}dek_source_cache_size", "gauge", "Seeds that are known.", ("provider_name",)
    )
    for remote in remotes:
        name, figures = remote.name, remote.figures
        for (method, code), (counts, total) in list(figures.calls.items()):
            calls.add((name, method, code), counts, total)
        for (what, key), count in list(figures.uses.items()):
            uses.add((what, name, key), count)
        for error, count in list(figures.wrong.items()):
            wrong.add((name, error), count)
        seeds.add((name,), figures.seeds)
    yield from (calls, uses, wrong, seeds)
