"""MutatingAdmissionWebhook: webhooks that may change the object, one after the other.

Each is asked about the object as the one before it left it. Where one changes it, those before it
that want to know (`reinvocationPolicy: IfNeeded`) are asked once more in the second round; so they
are where another plugin changed it meanwhile.
"""

from itertools import chain
from typing import Any

from argosy.api.resource import Resource
from argosy.api.resources.access import MUTATING_WEBHOOKS
from argosy.apiserver.admission.again import Rounds
from argosy.apiserver.admission.policy.followed import Registry
from argosy.apiserver.admission.policy.versions import Versions
from argosy.apiserver.admission.rule import Attributes
from argosy.apiserver.admission.webhooks import noted
from argosy.apiserver.admission.webhooks.applied import Patches, decoded
from argosy.apiserver.admission.webhooks.calling import Broken, Calls, Outcome, refusal
from argosy.apiserver.admission.webhooks.hook import Hook, hooks
from argosy.apiserver.admission.webhooks.review import JSON_PATCH, Verdict, request
from argosy.apiserver.answers import Ask
from argosy.base.clock import timestamp
from argosy.base.errors import StatusError, internal_error

Json = dict[str, Any]
KEPT = "webhooks"


class MutatingWebhooks:
    """An admission rule."""

    def __init__(self, registry: Registry, versions: Versions, calls: Calls) -> None:
        self._configured = registry.of(MUTATING_WEBHOOKS, hooks)
        self._calls = calls
        self._patches = Patches(versions, lambda: timestamp(calls.clock.now()))

    def __call__(self, attributes: Attributes) -> None:
        """Let the webhooks change the object. Raises StatusError, and Unanswered."""
        configured = self._configured.all(attributes.answers)
        if not configured:
            return
        asked = Rounds.of(attributes, KEPT)
        for index, hook in enumerate(chain.from_iterable(configured)):
            self._pass(attributes, hook, index, asked)
        asked.over(attributes)

    def _pass(self, attributes: Attributes, hook: Hook, index: int, asked: Rounds) -> None:
        wanted = hook.wants(attributes, self._patches.versions)
        if wanted is None or (attributes.round and hook.uid not in asked.again):
            return
        try:
            changed = self._ask(attributes, hook, wanted, index)
        except StatusError:
            noted.mutated(attributes, hook, index, changed=False)
            raise
        noted.mutated(attributes, hook, index, changed=changed)
        if changed:
            asked.changed()
            attributes.again = True
        if hook.again:
            asked.before.add(hook.uid)

    def _ask(self, attributes: Attributes, hook: Hook, wanted: Resource, index: int) -> bool:
        """Whether it changed the object."""
        new, old = self._patches.shown(attributes, wanted)
        sent = request(attributes, wanted, new, old)
        asked = self._calls.question(attributes, hook, "admit", sent)
        outcome: Outcome
        [outcome] = attributes.answers.need(asked) if isinstance(asked, Ask) else [asked]
        operations = _operations(outcome)
        if isinstance(operations, Broken):
            self._fail(attributes, hook, index, operations)
            return False
        assert isinstance(outcome, Verdict)
        noted.said(attributes, hook, outcome)
        if not outcome.allowed:
            raise refusal(hook, outcome)
        if not operations:
            return False
        noted.patched(attributes, hook, index, operations)
        return self._patches.apply(attributes, hook.name, wanted, new, operations)

    def _fail(self, attributes: Attributes, hook: Hook, index: int, broken: Broken) -> None:
        """Pass over a webhook that can't be asked, if its configuration lets us."""
        if not hook.ignored:
            raise internal_error(broken.text(hook.name))
        noted.failed_open(attributes, hook, index, "admit")
        self._calls.until(attributes)


def _operations(outcome: Outcome) -> list[Any] | Broken:
    """The patch of an answer, which may be of no use."""
    if isinstance(outcome, Broken):
        return outcome
    if not outcome.allowed or not outcome.patch:
        return []
    try:
        operations = decoded(outcome.patch)
    except ValueError as error:
        return Broken(f"received undecodable patch in webhook response: {error}")
    if operations and outcome.patch_type != JSON_PATCH:
        return Broken(f'unsupported patch type "{outcome.patch_type}"')
    return operations
