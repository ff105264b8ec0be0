"""Keys that plugins keep: who looks after them, and how the server tells of them.

That is a health check, and metrics under upstream's names.

Source of names: apiserver's `storage/value/encrypt/envelope/metrics`, Kubernetes 1.36; the label of
the server's identity is left out, for there is one server.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from argosy.apiserver.app import APIServer
from argosy.apiserver.configfile import ConfigurationError
from argosy.base.clock import Clock
from argosy.base.exposition import Family, Histogram
from argosy.http.checks import Check
from argosy.store.interface import StoreUnavailableError
from argosy.store.kms.figures import BOUNDS
from argosy.store.sealing import Remote, Sealing
from argosy.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from argosy.store.rekeying import Rekeying

PREFIX = "apiserver_envelope_encryption_"


def keeping(
    store: SqliteStore, folder: Path, sealing: Sealing | None, clock: Clock
) -> "Rekeying | None":
    """Who looks after the keys of the store in `folder` while it is open, where there are any."""
    if sealing is None:
        return None
    from argosy.store.rekeying import Rekeying

    return Rekeying(store, folder, sealing, clock)


def follow(server: APIServer, rekeying: "Rekeying | None", file: Path | None, clock: Clock) -> None:
    """Let `server` take over what the file of encryption says, whenever it changes."""
    if rekeying is None or file is None:
        return
    from argosy.apiserver.reloading import NotYetError, Reloading
    from argosy.store.encryption import EncryptionConfigError, called, source_of, understood
    from argosy.store.sealing import SealError

    async def take(data: bytes) -> bool:
        if source_of(data) == rekeying.sealing.source:
            return False
        try:
            wanted = await asyncio.to_thread(understood, data, called(file), clock)
            await rekeying.adopt(wanted)
        except EncryptionConfigError as error:
            raise ConfigurationError(str(error)) from None
        except (SealError, StoreUnavailableError) as error:
            raise NotYetError(str(error)) from None
        return True

    reloading = Reloading("encryption", file, clock, take)
    server.reloads = (*server.reloads, reloading)
    server.metrics.others.append(reloading.families)


def show(server: APIServer, sealing: Sealing | None, *, changing: bool = False) -> None:
    """Let `server` tell of the plugins, where there are any, or may be later."""
    if sealing is None or not (sealing.remotes or changing):
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
