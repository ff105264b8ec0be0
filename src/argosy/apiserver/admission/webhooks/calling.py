"""Asking a webhook: one review there, one answer back, in bounded time and of bounded size.

What comes of it is a `Verdict`, or `Broken` where there is none that counts: what that means for
the request is for the webhook's failure policy.
"""

import uuid
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Literal

import msgspec

from argosy.apiserver.admission.rule import Attributes
from argosy.apiserver.admission.webhooks.counts import Counts
from argosy.apiserver.admission.webhooks.hook import Hook
from argosy.apiserver.admission.webhooks.review import UnusableError, Verdict, body, verdict
from argosy.apiserver.answers import Ask
from argosy.apiserver.outbound import Outbound, OutboundError
from argosy.base.clock import Clock
from argosy.base.errors import StatusError, bad_request

Json = dict[str, Any]
Phase = Literal["admit", "validating"]
IN_ALL: Final = 60.0
"""Seconds that all webhooks of one request may take together: those that a request has upstream."""
LONGEST_TEXT: Final = 2048
"""Bytes of an answer that is not JSON which are shown."""
UNSPOKEN: Final = "webhook does not accept known AdmissionReview versions (v1)"
UNTRUSTED: Final = "unable to load root certificates"
SAID: Final = {
    400: "the server rejected our request for an unknown reason",
    401: "the server has asked for the client to provide credentials",
    404: "the server could not find the requested resource",
    405: "the server does not allow this method on the requested resource",
    409: "the server reported a conflict",
    422: "the server rejected our request due to an error in our request",
    429: "the server has received too many requests and has asked us to try again later",
    503: "the server is currently unable to handle the request",
    504: (
        "the server was unable to return a response in the time allotted, but may still be "
        "processing the request"
    ),
}
"""How a client puts the codes of a webhook's server."""


@dataclass(frozen=True, slots=True)
class Broken:
    """No answer that counts, and why. `code` is what is counted."""

    why: str
    code: int = 503

    def text(self, name: str) -> str:
        """As upstream words it."""
        return f'failed calling webhook "{name}": {self.why}'


Outcome = Verdict | Broken


@dataclass(slots=True, eq=False)
class Calls:
    """All questions to webhooks."""

    outbound: Outbound
    clock: Clock
    counts: Counts = field(default_factory=Counts)

    def until(self, attributes: Attributes) -> float:
        """The moment at which the request's time is up. Raises StatusError 504 after it."""
        end = attributes.answers.once("webhooks", lambda: self.clock.monotonic() + IN_ALL)
        if self.clock.monotonic() >= end:
            text = "Timeout: request did not complete within requested timeout"
            raise StatusError(504, "Timeout", text)
        return end

    def question(
        self, attributes: Attributes, hook: Hook, phase: Phase, sent: Json
    ) -> Ask | Broken:
        """What to ask of `hook` about the request `sent`, or why it can't be asked.

        Raises StatusError 400 for a dry run that it may notice.
        """
        if attributes.dry_run and not hook.quiet:
            raise bad_request(f'admission webhook "{hook.name}" does not support dry run')
        if not hook.speaks:
            return Broken(f"could not create admission objects: {UNSPOKEN}", 400)
        asked, end = msgspec.json.encode(sent), self.until(attributes)
        asker = f"{hook.uid} {phase} {attributes.round}"
        ask = partial(self._counted, hook, phase, attributes.operation, asked, end)
        return Ask(asker, _key(sent, asked), ask)

    async def _counted(
        self, hook: Hook, phase: Phase, operation: str, asked: bytes, end: float
    ) -> Outcome:
        began = self.clock.monotonic()
        outcome = await self._asked(hook, phase, asked, min(hook.seconds, max(end - began, 0.001)))
        code = rejected = 0
        if isinstance(outcome, Broken):
            code, rejected = outcome.code, not hook.ignored
        else:
            code = 200 if outcome.allowed else refusal_code(outcome)
            rejected = not outcome.allowed
        taken = self.clock.monotonic() - began
        kind = "calling_webhook_error" if isinstance(outcome, Broken) else "no_error"
        self.counts.called(
            (hook.name, phase, operation), taken, code, kind, rejected=bool(rejected)
        )
        if isinstance(outcome, Broken) and hook.ignored:
            self.counts.failed_open((hook.name, phase))
        return outcome

    async def _asked(self, hook: Hook, phase: Phase, asked: bytes, seconds: float) -> Outcome:
        uid, query = str(uuid.uuid4()), f"timeout={-(-seconds // 1):.0f}s"
        try:
            where = self.outbound.where(hook.client)
        except OutboundError as error:
            if str(error).startswith(UNTRUSTED):
                return Broken(f"could not get REST client: {error}", 500)
            return Broken(f'failed to call webhook: Post "{_url(hook)}?{query}": {error}')
        try:
            sent = body(uid, asked)
            status, answer = await self.outbound.post(where, sent, seconds=seconds, query=query)
        except OutboundError as error:
            return Broken(f"failed to call webhook: {error}")
        if not 200 <= status <= 206:
            return Broken(f"failed to call webhook: {_said(status, answer)}", status)
        try:
            return verdict(answer, uid, mutating=phase == "admit")
        except UnusableError as error:
            return Broken(f"received invalid webhook response: {error}")
        except ValueError as error:
            return Broken(f"failed to call webhook: {error}")


def _key(sent: Json, asked: bytes) -> bytes:
    """What stands for a request: all of it, but for the times of managed fields, which are those of
    the attempt.
    """
    meta = (sent["object"] or {}).get("metadata") or {}
    entries = meta.get("managedFields")
    if not entries:
        return asked
    timeless = [{**entry, "time": None} for entry in entries]
    still = {**sent["object"], "metadata": {**meta, "managedFields": timeless}}
    return msgspec.json.encode({**sent, "object": still})


def _url(hook: Hook) -> str:
    service = hook.client.get("service") or {}
    host = f"{service.get('name')}.{service.get('namespace')}.svc"
    path = str(service.get("path") or "").lstrip("/")
    return f"https://{host}:{service.get('port') or 443}/{path}"


def _said(status: int, answer: bytes) -> str:
    if status in SAID:
        return SAID[status]
    text = answer[:LONGEST_TEXT].decode(errors="replace").strip()
    text = "unknown" if not text or text.startswith("{") else text
    if status in (403, 406, 415):
        return text
    if status >= 500:
        quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'an error on the server ("{quoted}") has prevented the request from succeeding'
    return f"the server responded with the status code {status} but did not return more information"


def refusal_code(said: Verdict) -> int:
    """The code of a refusal: what a webhook takes for success is none."""
    return said.code if 400 <= said.code <= 599 else 400


def refusal(hook: Hook, said: Verdict) -> StatusError:
    """What the client is told of a webhook's no."""
    lead = f'admission webhook "{hook.name}" denied the request'
    why = said.message or said.reason
    text = f"{lead}: {why}" if why else f"{lead} without explanation"
    return StatusError(refusal_code(said), said.reason, text, details=said.details)
