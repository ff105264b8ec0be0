"""Sends events to a webhook, as `EventList`s of `audit.k8s.io/v1`.

The file that names it is a kubeconfig, as kube-apiserver's. Batches are sent one after the other in
the writer's thread; one that is refused for now (no connection, 429, 5xx) is tried again, more and
more slowly, and then given up and counted as lost.
"""

import http.client
from collections.abc import Callable
from contextlib import closing

from argosy.apiserver.remotes import Remote

TRIES = 5
FIRST_PAUSE_SECONDS = 10.0
FACTOR = 1.5
TIMEOUT_SECONDS = 30.0
_BEGIN = b'{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":['


class Posted:
    """An output that posts what it is given. `pause` waits; it returns true to be given up."""

    def __init__(self, remote: Remote, pause: Callable[[float], bool]) -> None:
        self._remote = remote
        self._pause = pause

    def write(self, lines: bytes) -> None:
        """Post whole lines. Blocks. Raises OSError where all tries failed."""
        body = _BEGIN + b",".join(lines.splitlines()) + b"]}"
        pause = FIRST_PAUSE_SECONDS
        for left in reversed(range(TRIES)):
            try:
                status = self._post(body)
                if status < 400:
                    return
                error = OSError(f"the webhook answered {status}")
                if status != 429 and status < 500:
                    raise error
            except (http.client.HTTPException, ConnectionError, TimeoutError) as failed:
                error = OSError(f"reaching the webhook: {failed}")
            if not left or self._pause(pause):
                raise error
            pause *= FACTOR

    def close(self) -> None:
        """Nothing is held between two batches."""

    def _post(self, body: bytes) -> int:
        remote = self._remote
        with closing(_connection(remote)) as connection:
            headers = {"content-type": "application/json", **remote.headers}
            connection.request("POST", remote.path, body, headers)
            return connection.getresponse().status


def _connection(remote: Remote) -> http.client.HTTPConnection:
    if remote.tls is None:
        return http.client.HTTPConnection(remote.host, remote.port, timeout=TIMEOUT_SECONDS)
    return http.client.HTTPSConnection(
        remote.host, remote.port, timeout=TIMEOUT_SECONDS, context=remote.tls
    )
