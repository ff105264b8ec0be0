"""`/metrics` and `/metrics/slis`: everything is put together when it is asked for.

Source of names: `storage/etcd3/metrics` and component-base's `metrics`, Kubernetes 1.36.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from argosy.apiserver import counted, process
from argosy.apiserver.catalog import Catalog
from argosy.apiserver.health import Health
from argosy.apiserver.metrics import Metrics
from argosy.apiserver.offers import preferred
from argosy.base.errors import not_acceptable
from argosy.base.exposition import OPEN, TEXT, Family, Histogram, render
from argosy.http.message import Request, Response
from argosy.store.interface import Store

PATHS = ("/metrics", "/metrics/slis")
_BUILD: Mapping[str, str] = {
    "major": "major",
    "minor": "minor",
    "git_version": "gitVersion",
    "git_commit": "gitCommit",
    "git_tree_state": "gitTreeState",
    "build_date": "buildDate",
    "go_version": "goVersion",
    "compiler": "compiler",
    "platform": "platform",
}
"""Labels, and where `/version` has their values."""
_ACTING = ("component", "binary", "emulation", "min_compat")


@dataclass(frozen=True)
class Exported:
    """Answers by path."""

    metrics: Metrics
    health: Health
    catalog: Catalog
    store: Store
    version: Mapping[str, str]

    def find(self, request: Request, path: str) -> Response | None:
        """The answer for `path`; None where it is none of these. Raises StatusError 406."""
        if path not in PATHS:
            return None
        offers = tuple(kind.partition(";")[0] for kind in (TEXT, OPEN))
        wanted = preferred(request.headers.get("accept", ""), offers)
        if wanted is None:
            raise not_acceptable(offers)
        told = self._healthy() if path == "/metrics/slis" else self._all()
        body = render(told, open_metrics=wanted == offers[1])
        return Response(200, {"content-type": OPEN if wanted == offers[1] else TEXT}, body)

    def _all(self) -> Iterator[Family | Histogram]:
        yield from counted.families(self.metrics)
        yield from self._stored()
        yield self._file()
        yield from self._versions()
        yield self._gates()
        yield from process.families()

    def _healthy(self) -> Iterator[Family]:
        last = Family("kubernetes_healthcheck", "gauge", "The last outcome.", ("name", "type"))
        total = Family(
            "kubernetes_healthchecks_total", "counter", "All outcomes.", ("name", "type", "status")
        )
        for (name, kind), (failed, held, latest) in self.health.outcomes.items():
            last.add((name, kind), latest)
            for status, count in (("success", held), ("error", failed)):
                if count:
                    total.add((name, kind, status), count)
        yield from (last, total)

    def _stored(self) -> Iterator[Family]:
        of = ("group", "resource")
        old = Family("apiserver_storage_objects", "gauge", "Stored objects.", ("resource",))
        new = Family("apiserver_resource_objects", "gauge", "Stored objects.", of)
        sizes = Family(
            "apiserver_resource_size_estimate_bytes", "gauge", "Bytes of stored objects.", of
        )
        for resource in self.catalog.stored:
            records = self.store.list(resource.key())
            values = (resource.group, resource.plural)
            old.add((resource.qualified,), len(records))
            new.add(values, len(records))
            sizes.add(values, sum(len(record.value) for record in records))
        yield from (old, new, sizes)

    def _file(self) -> Family:
        """The database's file, with what waits to be put into it."""
        path = self.metrics.database
        files = [] if path is None else [path, path.with_name(f"{path.name}-wal")]
        sizes = [file.stat().st_size for file in files if file.exists()]
        return Family(
            "apiserver_storage_size_bytes",
            "gauge",
            "Bytes of the database's file.",
            ("storage_cluster_id",),
            {("storage-0",): sum(sizes)} if sizes else {},
        )

    def _versions(self) -> Iterator[Family]:
        told = self.version
        labels = tuple(_BUILD)
        values = tuple(told[name] for name in _BUILD.values())
        text = "1, with what this server is."
        yield Family("kubernetes_build_info", "gauge", text, labels, {values: 1})
        binary = f"{told['major']}.{told['minor']}"
        emulated = f"{told['emulationMajor']}.{told['emulationMinor']}"
        lowest = f"{told['minCompatibilityMajor']}.{told['minCompatibilityMinor']}"
        labels, values = tuple(_ACTING), ("kube", binary, emulated, lowest)
        yield Family("version_info", "gauge", "1, with what it acts as.", labels, {values: 1})

    def _gates(self) -> Family:
        gates = Family(
            "kubernetes_feature_enabled", "gauge", "Whether a gate is open.", ("name", "stage")
        )
        for name, stage, is_open in self.metrics.gates():
            gates.add((name, stage), is_open)
        return gates
