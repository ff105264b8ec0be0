"""What is noted of one request on its way, to be told when it is answered.

Others add to it by `notes`. Stages and their order are kube-apiserver's: `RequestReceived` once the
user is known, `ResponseStarted` where a long answer begins, `ResponseComplete` or `Panic` at the
end. A request whose user could not be told has `ResponseStarted` alone.
"""

import os
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime

from argosy.apiserver.audit import event
from argosy.apiserver.audit.policy import (
    LEVELS,
    REQUEST,
    RESPONSE,
    SECRETS,
    Policy,
    Treatment,
)
from argosy.apiserver.authorization.attributes import Attributes, attributes_of
from argosy.apiserver.request import User
from argosy.http.message import Duplex, Request, Response, Takeover

HEADER = "audit-id"
LONG = frozenset({"attach", "exec", "log", "portforward", "proxy"})
"""Subresources whose answers may last, as a watch does."""
NOBODY = User("")
CLOSED: event.Json = {
    "metadata": {},
    "status": "Success",
    "message": "Connection closed early",
    "code": 200,
}
COMPLETE = "ResponseComplete"
SILENT = Treatment(0, frozenset(), False)


class Trail:
    """One request, under the eyes of `policy`; `put` takes its events as lines.

    There is one event, which grows from stage to stage and is written at each.
    """

    __slots__ = (
        "_clock",
        "_event",
        "_policy",
        "_put",
        "_received",
        "_treatment",
        "annotations",
        "asked",
        "constraint",
        "id",
        "impersonated",
        "panic",
        "request",
        "sent",
    )

    def __init__(
        self,
        request: Request,
        policy: Policy,
        clock: Callable[[], datetime],
        put: Callable[[bytes], None],
    ) -> None:
        self.request = request
        self.id = request.headers.get(HEADER, "") or _new_id()
        self.annotations: dict[str, str] = {}
        self.asked: Attributes | None = None
        self.impersonated: User | None = None
        self.constraint = ""
        self.panic = ""
        self.sent = ""
        self._policy = policy
        self._clock = clock
        self._put = put
        self._received = clock()
        self._treatment = SILENT
        self._event: event.Json = {}

    def enter(self, user: User) -> None:
        """Its user is known: what is told of it is decided."""
        self._begin(user)
        self._tell("RequestReceived", self._received)

    def act(self, user: User) -> None:
        """Another user than the one who asks counts, where it is another."""
        if self.asked is not None and user is not self.asked.user:
            self.impersonated = user

    @property
    def tells_bodies(self) -> bool:
        """Whether what the client sent is told."""
        return self._treatment.level >= REQUEST

    def annotate(self, key: str, value: str) -> None:
        """Add to its event; the first of a key stays."""
        if self._treatment.level:
            self.annotations.setdefault(key, value)

    def finish(self, response: Response) -> Response:
        """It is answered; what a stream has to say at its end is said then."""
        known = self.asked is not None
        if not known:
            self._begin(NOBODY)
        headers = {**response.headers, HEADER: self.id}
        marked = Response(response.status, headers, response.body, response.upgrade)
        if not self._treatment.level:
            return marked
        if not known:
            tried = {"metadata": {}, "message": _tried(self.request), "code": response.status}
            self._answered(tried)
            self._tell("ResponseStarted")
        elif self.panic:
            failed = {"status": "Failure", "message": self.panic, "reason": "InternalError"}
            self._answered({"metadata": {}, **failed, "code": 500})
            self._tell("Panic")
        else:
            status = event.response_status(response, wordless=self._wordless())
            self._answered(status, response)
            self._complete(marked)
        return marked

    def give_up(self) -> None:
        """Nobody waits for the answer any more."""
        if self._treatment.level:
            self._answered(CLOSED)
            self._tell(COMPLETE)

    def _begin(self, user: User) -> None:
        asked = self.asked = attributes_of(self.request, user)
        self._treatment = self._policy.treatment(asked)
        if self._treatment.level:
            self._event = event.begun(
                self.request, asked, level=LEVELS[self._treatment.level], audit_id=self.id
            )
            self._event["requestReceivedTimestamp"] = event.micro(self._received)

    def _complete(self, response: Response) -> None:
        assert self.asked is not None
        if self.asked.verb == "watch" or self.asked.subresource in LONG:
            self._tell("ResponseStarted")
        if response.upgrade is not None:
            response.upgrade = self._taken_over(response.upgrade)
        elif isinstance(response.body, bytes):
            self._tell(COMPLETE)
        else:
            response.body = self._streamed(response.body)

    async def _streamed(self, body: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        try:
            async with aclosing(body):
                async for piece in body:
                    yield piece
        finally:
            self._tell(COMPLETE)

    def _taken_over(self, upgrade: Takeover) -> Takeover:
        async def run(connection: Duplex) -> None:
            try:
                await upgrade(connection)
            finally:
                self._tell(COMPLETE)

        return run

    def _tell(self, stage: str, moment: datetime | None = None) -> None:
        treatment = self._treatment
        if not treatment.level or stage in treatment.omitted:
            return
        told = self._event
        told["stage"] = stage
        told["stageTimestamp"] = event.micro(moment or self._clock())
        self._put(event.line(told))

    def _wordless(self) -> bool:
        """Whether the body must not be told, and it is one with secrets."""
        asked = self.asked
        if asked is None or self._treatment.level >= REQUEST:
            return False
        return (asked.group, asked.whole_resource) in SECRETS

    def _answered(self, status: event.Json, response: Response | None = None) -> None:
        """Let the event tell what became of the request."""
        told, asked, level = self._event, self.asked, self._treatment.level
        told["responseStatus"] = status
        if self.impersonated is not None:
            told["impersonatedUser"] = event.user_info(self.impersonated)
            if self.constraint:
                told["authenticationMetadata"] = {"impersonationConstraint": self.constraint}
        if self.annotations:
            told["annotations"] = self.annotations
        if asked is None or asked.path is not None:
            return
        told["objectRef"] = event.completed_ref(told["objectRef"], self.request)
        if level < REQUEST or asked.subresource in LONG:  # these are no objects of ours
            return
        bare = self._treatment.omit_managed_fields
        if (sent := event.request_object(self.request, self.sent, bare=bare)) is not None:
            told["requestObject"] = sent
        if level >= RESPONSE and response is not None:
            if (answer := event.response_object(response, bare=bare)) is not None:
                told["responseObject"] = answer


def _new_id() -> str:
    """A random UUID (RFC 9562, version 4)."""
    text = os.urandom(16).hex()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def _tried(request: Request) -> str:
    """By what the request meant to show whose it is, in upstream's words."""
    scheme, _, rest = request.headers.get("authorization", "").strip().partition(" ")
    tried = [scheme.lower()] if rest and scheme.lower() in ("basic", "bearer") else []
    if request.parameters().get("access_token", "").strip():
        tried.append("access_token")
    if request.peer is not None and request.peer.certificate is not None:
        tried.append("x509")
    if tried:
        return f"Authentication failed, attempted: {', '.join(tried)}"
    return "Authentication failed, no credentials provided"
