"""What bounds requests where fairness is switched off: so many that read, so many that write.

Nobody waits: who is one too many is asked to come back. Source: `maxinflight.go` of apiserver's
`server/filters`.
"""

from argosy.apiserver.authorization.attributes import attributes_of
from argosy.apiserver.flowcontrol.fairness import LONG_RUNNING, Serve, too_many
from argosy.apiserver.request import User
from argosy.http.message import Request, Response

_READING = frozenset({"get", "list", "watch", "head", "options"})


class InFlight:
    """Counts requests in progress; 0 is no bound."""

    def __init__(self, reading: int, writing: int) -> None:
        self._most = {True: reading, False: writing}
        self._now = {True: 0, False: 0}

    async def governed(self, request: Request, user: User, serve: Serve) -> Response:
        """The answer of `serve`. Raises StatusError 429."""
        asked = attributes_of(request, user)
        if asked.verb == "watch" or asked.subresource.partition("/")[0] in LONG_RUNNING:
            return await serve(request, user)
        reads = asked.verb in _READING
        if 0 < self._most[reads] <= self._now[reads]:
            raise too_many(1)
        self._now[reads] += 1
        try:
            return await serve(request, user)
        finally:
            self._now[reads] -= 1
