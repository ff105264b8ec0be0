"""The Open Inference Protocol v2 over HTTP as a handler: routes, health, metadata, inference.

Inference, from decoding to encoding, runs in worker threads, so that a probe of the kubelet is
answered while a large request is at work. Source: the protocol's REST specification (KServe).
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import msgspec

from argosy import __version__
from argosy.http.message import Request, Response

from .inference import infer
from .model import Model
from .tensors import ProtocolError

_JSON = {"content-type": "application/json"}
# Triton's clients announce JSON followed by raw tensors with it.
_BINARY_HEADER = "inference-header-content-length"


class WrongMethod(ProtocolError):
    """405: the path is right, the method is not."""

    def __init__(self, request: Request, allowed: str) -> None:
        super().__init__(405, f"{request.path} takes {allowed} only, not {request.method}")
        self.allowed = allowed


class App:
    """Serves one version of one model. `await app(request)` is an `argosy.http` handler.

    It is made of a loaded model, so whoever can ask it whether it is ready hears yes.
    """

    def __init__(self, model: Model, workers: Executor) -> None:
        self._model = model
        self._workers = workers

    async def __call__(self, request: Request) -> Response:
        """Answer one request; every error is `{"error": …}`."""
        try:
            return await self._route(request)
        except WrongMethod as error:
            refusal = _answer({"error": str(error)}, status=405)
            return replace(refusal, headers={**refusal.headers, "allow": error.allowed})
        except ProtocolError as error:
            return _answer({"error": str(error)}, status=error.status)

    async def _route(self, request: Request) -> Response:
        match [unquote(part) for part in request.path.removesuffix("/").split("/")]:
            case ["", "v2", "models", name, "versions", version, *rest]:
                self._check_names(name, version)
                return await self._of_model(request, rest)
            case ["", "v2", "models", name, *rest]:
                self._check_names(name, self._model.version)
                return await self._of_model(request, rest)
            case ["", "v2", *rest]:
                return self._of_server(request, rest)
        raise _unknown_path(request)

    def _check_names(self, name: str, version: str) -> None:
        model = self._model
        if name != model.name:
            raise ProtocolError(404, f"model {name!r} is not served here, only {model.name!r} is")
        if version != model.version:
            raise ProtocolError(
                404,
                f"version {version!r} of model {name!r} is not served here, "
                f"only {model.version!r} is",
            )

    def _of_server(self, request: Request, rest: Sequence[str]) -> Response:
        match rest:
            case []:
                _only(request, "GET")
                return _answer({"name": "argosy", "version": __version__, "extensions": []})
            case ["health", "live"]:
                _only(request, "GET")
                return _answer({"live": True})
            case ["health", "ready"]:
                _only(request, "GET")
                return _answer({"ready": True})
        raise _unknown_path(request)

    async def _of_model(self, request: Request, rest: Sequence[str]) -> Response:
        match rest:
            case []:
                _only(request, "GET")
                return _answer(self._metadata())
            case ["ready"]:
                _only(request, "GET")
                return _answer({"name": self._model.name, "ready": True})
            case ["infer"]:
                _only(request, "POST")
                return await self._infer(request)
        raise _unknown_path(request)

    def _metadata(self) -> dict[str, Any]:
        model = self._model
        return {
            "name": model.name,
            "versions": [model.version],
            "platform": "onnx_onnxv1",
            "inputs": [spec.metadata() for spec in model.inputs.values()],
            "outputs": [spec.metadata() for spec in model.outputs.values()],
        }

    async def _infer(self, request: Request) -> Response:
        if _BINARY_HEADER in request.headers:
            raise ProtocolError(400, "the extension 'binary_tensor_data' is not supported")
        loop = asyncio.get_running_loop()
        body = await loop.run_in_executor(self._workers, infer, self._model, request.body)
        return Response(200, _JSON, body)


def error_body(_status: int, text: str) -> tuple[bytes, str]:
    """What the HTTP server says when it refuses a request before the app sees it."""
    return msgspec.json.encode({"error": text}), _JSON["content-type"]


def _answer(content: dict[str, Any], *, status: int = 200) -> Response:
    return Response(status, _JSON, msgspec.json.encode(content))


def _only(request: Request, method: str) -> None:
    if request.method != method:
        raise WrongMethod(request, method)


def _unknown_path(request: Request) -> ProtocolError:
    return ProtocolError(404, f"nothing is served at {request.path}")
