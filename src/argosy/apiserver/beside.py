"""Answers beside the resources: health, version, and what tells of the API itself."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass

from argosy.api.builtin import Builtins
from argosy.apiserver.catalog import Catalog
from argosy.apiserver.discovery import Discovery
from argosy.apiserver.negotiate import answer_object
from argosy.apiserver.openapi import OpenAPI
from argosy.apiserver.subresources import Subresource
from argosy.base.errors import method_not_allowed, unknown_path
from argosy.http.message import Request, Response

HEALTH = ("/healthz", "/livez", "/readyz")


@dataclass
class State:
    """What the server tells of itself."""

    ready: bool = False


class Beside:
    """Answers by path."""

    def __init__(
        self, catalog: Catalog, definitions: Builtins, subresources: Mapping[str, Subresource]
    ) -> None:
        self.state = State()
        self._discovery = Discovery(catalog, subresources)
        self._openapi = OpenAPI(catalog, definitions)
        self._version = _version(definitions.minor)

    def answer(self, request: Request) -> Response:
        """The answer. Raises StatusError 404 and 405."""
        path = request.path.rstrip("/") or "/"
        known = self._find(request, path)
        if known is None:
            raise unknown_path()
        if request.method not in ("GET", "HEAD"):
            raise method_not_allowed()
        return known

    def _find(self, request: Request, path: str) -> Response | None:
        if path in HEALTH:
            return self._health(path)
        if path == "/version":
            return answer_object(self._version)
        if path == "/":
            paths = [*self._discovery.documents, "/openapi/v3", "/version", *HEALTH]
            return answer_object({"paths": sorted(paths)})
        return self._discovery.find(request, path) or self._openapi.find(request, path)

    def _health(self, path: str) -> Response:
        headers = {"content-type": "text/plain; charset=utf-8"}
        if path == "/readyz" and not self.state.ready:
            return Response(503, headers, b"not ready: the cluster is starting\n")
        return Response(200, headers, b"ok")


def _version(minor: str) -> dict[str, str]:
    major, _, rest = minor.partition(".")
    machine = {"x86_64": "amd64", "aarch64": "arm64"}
    return {
        "major": major,
        "minor": rest,
        "gitVersion": f"v{minor}.0+argosy",
        "gitCommit": "",
        "gitTreeState": "",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": platform.python_implementation(),
        "platform": f"linux/{machine.get(platform.machine(), platform.machine())}",
    }
