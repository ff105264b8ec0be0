"""The node's door for the API server, on the kubelet's paths, and what answers behind it.

`GET /containerLogs/{namespace}/{pod}/{container}` with `follow`, `tailLines`, `sinceSeconds`,
`sinceTime`, `timestamps`, `limitBytes` and `previous`; streams are in `sessions`, requests to
pods themselves in `podproxy`. What the node hasn't yet is refused by name.
"""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

from argosy.base.clock import Clock, parse_timestamp
from argosy.base.errors import StatusError, bad_request, method_not_allowed, not_found, unknown_path
from argosy.http.message import Request, Response
from argosy.node.logs import LogFile, LogOptions, read_log
from argosy.node.podproxy import proxied
from argosy.node.sessions import STREAMS, stream
from argosy.node.worker import PodWorker

Find = Callable[[str, str], PodWorker | None]


async def answer(request: Request, find: Find, clock: Clock) -> Response:
    """One request. `find` gives the worker of a pod by namespace and name."""
    try:
        verb = request.path.lstrip("/").partition("/")[0]
        if verb == "podProxy":
            return await proxied(request, find)
        if verb in STREAMS:
            return stream(verb, request, find)
        return _logs(request, find, clock)
    except StatusError as error:
        body = json.dumps(error.status()).encode()
        return Response(error.code, {"content-type": "application/json"}, body)


def _logs(request: Request, find: Find, clock: Clock) -> Response:
    parts = [unquote(part) for part in request.path.strip("/").split("/")]
    if len(parts) != 4 or parts[0] != "containerLogs":
        raise unknown_path()
    if request.method != "GET":
        raise method_not_allowed()
    _, namespace, name, container = parts
    worker = find(namespace, name)
    if worker is None:
        raise not_found("pods", name)
    parameters = request.parameters()
    options = log_options(parameters, clock)
    path, live = _log(worker, container, previous=_truth(parameters, "previous"))
    return Response(200, {"content-type": "text/plain"}, read_log(path, options, live))


def log_options(parameters: Mapping[str, str], clock: Clock) -> LogOptions:
    """The query of a log request. Raises StatusError 400."""
    since = None
    seconds = _number(parameters, "sinceSeconds", least=1)
    if seconds is not None:
        since = clock.now() - timedelta(seconds=min(seconds, 10**9))
    if moment := parameters.get("sinceTime"):
        try:
            since = parse_timestamp(moment)
        except ValueError as error:
            raise bad_request(f"sinceTime: {error}") from None
    return LogOptions(
        follow=_truth(parameters, "follow"),
        tail=_number(parameters, "tailLines", least=0),
        since=since,
        timestamps=_truth(parameters, "timestamps"),
        limit=_number(parameters, "limitBytes", least=1),
    )


def _number(parameters: Mapping[str, str], name: str, *, least: int) -> int | None:
    text = parameters.get(name)
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18 or int(text) < least:
        raise bad_request(f"{name}: Invalid value: {text!r}: must be a number, at least {least}")
    return int(text)


def _truth(parameters: Mapping[str, str], name: str) -> bool:
    text = parameters.get(name, "")
    if text not in ("", "true", "false", "1", "0"):
        raise bad_request(f"{name}: Invalid value: {text!r}: must be true or false")
    return text in ("true", "1")


def _log(worker: PodWorker, container: str, *, previous: bool) -> tuple[Path, LogFile | None]:
    name = worker.pod.metadata.name
    try:
        found = worker.log_of(container, previous=previous)
    except KeyError:
        raise bad_request(f"container {container} is not valid for pod {name}") from None
    if found is not None:
        return found
    if previous:
        raise bad_request(f'previous terminated container "{container}" in pod "{name}" not found')
    raise bad_request(
        f'container "{container}" in pod "{name}" is waiting to start: {worker.waits(container)}'
    )
