"""The process of the model server: `python -m argosy.serving.server --name … --model … --digest …`.

It listens only once the model is checked and loaded, so a probe that connects finds it ready. A
model that isn't the promised one ends the process with exit code 3, anything else that can't be
served with 1; the reason goes to stderr and into the pod's termination log. SIGTERM drains.
"""

import argparse
import asyncio
import os
import re
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import uvloop

from argosy.http.limits import Limits
from argosy.http.server import serve

from .app import App, error_body
from .model import DigestMismatch, Model, UnusableModel, load, read_verified

MISMATCH = 3
LIMITS = Limits(body_bytes=16 * 1024 * 1024)
# Kubernetes waits 30 s between SIGTERM and SIGKILL; this leaves room for the rest.
DRAIN_SECONDS = 20.0
WORKERS = 2
_TERMINATION_LOG = Path("/dev/termination-log")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for."""

    name: str
    version: str
    model: Path
    digest: str
    host: str
    port: int
    termination_log: Path | None


async def serve_until_told(model: Model, options: Options) -> None:
    """Serve `model` until SIGTERM or SIGINT, then finish what is in flight."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="infer") as workers:
        server = await serve(
            App(model, workers),
            addresses=[(options.host, options.port)],
            tls=None,
            limits=LIMITS,
            error_body=error_body,
        )
        host, port = server.addresses[0]
        _say(f"serving model {model.name} version {model.version} at http://{host}:{port}/v2")
        await told.wait()
        await server.close(grace=DRAIN_SECONDS)


def main(arguments: Sequence[str]) -> int:
    """Serve until told to stop; the result is the exit code."""
    options = _options(arguments)
    try:
        content = read_verified(options.model, options.digest)
        model = load(content, name=options.name, version=options.version)
        uvloop.run(serve_until_told(model, options))
    except DigestMismatch as error:
        return _fail(str(error), MISMATCH, options.termination_log)
    except (UnusableModel, OSError) as error:
        return _fail(f"serving model {options.name!r}: {error}", 1, options.termination_log)
    return 0


def _fail(text: str, code: int, termination_log: Path | None) -> int:
    _say(text)
    if termination_log:
        termination_log.write_text(text)
    return code


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _options(arguments: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser(
        prog="argosy.serving.server", description="Serve an ONNX model by the inference protocol."
    )
    parser.add_argument("--name", required=True, help="the model's name in the protocol's paths")
    parser.add_argument("--version", default="1")
    parser.add_argument("--model", required=True, type=Path, metavar="FILE.onnx")
    parser.add_argument("--digest", required=True, type=_digest, metavar="sha256:HEX")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=_port, default=8080)
    parser.add_argument(
        "--termination-log", type=Path, metavar="FILE", default=_default_termination_log()
    )
    return Options(**vars(parser.parse_args(arguments)))


def _digest(text: str) -> str:
    if not re.fullmatch("sha256:[0-9a-f]{64}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not sha256: and 64 hexadecimal digits")
    return text


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is no port")
    return int(text)


def _default_termination_log() -> Path | None:
    return _TERMINATION_LOG if os.access(_TERMINATION_LOG, os.W_OK) else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
