"""Requests to a port of a pod: `/podProxy/{namespace}/{pod}/{scheme}/{port}/…`, by any method.

The API server sends here what a client asks of `pods/proxy` and `services/proxy`. The node passes
it on to the address that it gave the pod itself, so that no status that anybody wrote can lead
anywhere else.
"""

import ssl
from collections.abc import Callable
from dataclasses import replace

from argosy.base.errors import StatusError, not_found, unknown_path
from argosy.http.forward import forward
from argosy.http.message import Request, Response
from argosy.node.worker import PodWorker

Find = Callable[[str, str], PodWorker | None]

_OWN = 6  # parts of the path before the pod's own


async def proxied(request: Request, find: Find) -> Response:
    """The pod's answer. Raises StatusError 404 and 503."""
    parts = request.path.split("/", _OWN)
    if len(parts) <= _OWN or parts[4] not in ("http", "https") or not parts[5].isdigit():
        raise unknown_path()
    _, _, namespace, name, scheme, port, below = parts
    worker = find(namespace, name)
    if worker is None:
        raise not_found("pods", name)
    asked = replace(request, path=f"/{below}")
    tls = _unverified() if scheme == "https" else None
    try:
        return await forward(asked, worker.address, int(port), tls=tls)
    except (OSError, ValueError) as error:
        text = f"error trying to reach service: {error or 'it took too long'}"
        raise StatusError(503, "ServiceUnavailable", text) from None


def _unverified() -> ssl.SSLContext:
    """A pod's certificate proves nothing here: the address is known to be the pod's."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
