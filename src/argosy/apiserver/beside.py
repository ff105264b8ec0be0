"""Answers beside the resources: health, metrics, version, and what tells of the API itself."""

import platform
from collections.abc import Mapping

from argosy.api.builtin import Builtins, minors
from argosy.apiserver import exported
from argosy.apiserver.aggregation.aggregation import Aggregation
from argosy.apiserver.authentication.issuer import PATHS as ISSUER_PATHS
from argosy.apiserver.catalog import Catalog
from argosy.apiserver.discovery import Discovery
from argosy.apiserver.health import Health, State, StoreHealth
from argosy.apiserver.metrics import Metrics
from argosy.apiserver.negotiate import answer_object
from argosy.apiserver.openapi import OpenAPI
from argosy.apiserver.openapi_v2 import ROOT as OPENAPI_V2
from argosy.apiserver.openapi_v2 import OpenAPIv2
from argosy.apiserver.subresources import Subresource
from argosy.base.clock import Clock
from argosy.base.errors import method_not_allowed, unknown_path
from argosy.http.message import Request, Response
from argosy.store.interface import Store


class Beside:
    """Answers by path."""

    def __init__(
        self,
        catalog: Catalog,
        definitions: Builtins,
        subresources: Mapping[str, Subresource],
        store: Store,
        clock: Clock,
    ) -> None:
        self.aggregation = Aggregation(catalog, store, clock)
        self.state = State()
        self.store = StoreHealth(store, clock)
        self.metrics = Metrics(clock)
        self._health = Health(self.state, self.store)
        self._version = version(definitions.minor)
        self._exported = exported.Exported(
            self.metrics, self._health, catalog, store, self._version
        )
        self._discovery = Discovery(catalog, subresources)
        self._openapi = OpenAPI(catalog, definitions, subresources)
        self._openapi_v2 = OpenAPIv2(self._openapi, clock.now())

    async def answer(self, request: Request) -> Response:
        """The answer. Raises StatusError 404, 405 and 406."""
        path = request.path.rstrip("/") or "/"
        reading = request.method in ("GET", "HEAD")
        if reading and (healthy := self._healthy(request, path)) is not None:
            return healthy
        if not reading and path in self._health.paths:
            raise method_not_allowed()
        known = await self._find(request, path)
        if known is None:
            raise unknown_path()
        if not reading:
            raise method_not_allowed()
        return known

    def _healthy(self, request: Request, path: str) -> Response | None:
        began = self.metrics.monotonic()
        response = self._health.find(request, path)
        if response is not None:
            taken = self.metrics.monotonic() - began
            self.metrics.count_beside(request.method, path, response, taken)
        return response

    async def _find(self, request: Request, path: str) -> Response | None:
        if path == "/version":
            return answer_object(self._version)
        if path == "/":
            return answer_object({"paths": self._paths()})
        if path == OPENAPI_V2:
            return await self._openapi_v2.answer(request)
        told = await self.aggregation.told(request, path, self._discovery, self._openapi)
        return (
            told
            or self._discovery.find(request, path)
            or self._exported.find(request, path)
            or await self._openapi.find(request, path)
        )

    def _paths(self) -> list[str]:
        """What there is to ask for, but for documents that an index names."""
        told = (*ISSUER_PATHS, OPENAPI_V2, "/openapi/v3", "/version", *exported.PATHS)
        own = (*self._discovery.documents, *self._health.paths, *told)
        return sorted({*own, *self.aggregation.paths()})


def version(emulated: str) -> dict[str, str]:
    """`/version` of a server that is the newest Kubernetes there are definitions of, and acts as
    `emulated`.
    """
    binary = max(minors(), key=lambda minor: int(minor.partition(".")[2]))
    machine = {"x86_64": "amd64", "aarch64": "arm64"}
    major, _, minor = emulated.partition(".")
    return {
        "major": binary.partition(".")[0],
        "minor": binary.partition(".")[2],
        "emulationMajor": major,
        "emulationMinor": minor,
        "minCompatibilityMajor": major,
        "minCompatibilityMinor": str(int(minor) - 1),
        "gitVersion": f"v{binary}.0+argosy",
        "gitCommit": "",
        "gitTreeState": "",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": platform.python_implementation(),
        "platform": f"linux/{machine.get(platform.machine(), platform.machine())}",
    }
