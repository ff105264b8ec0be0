"""ValidatingAdmissionWebhook: webhooks that judge the object as it shall be, all at once."""

from itertools import chain

from argosy.api.resource import Resource
from argosy.api.resources.access import VALIDATING_WEBHOOKS
from argosy.apiserver.admission.policy.followed import Registry
from argosy.apiserver.admission.policy.versions import Versions
from argosy.apiserver.admission.rule import Attributes
from argosy.apiserver.admission.webhooks import noted
from argosy.apiserver.admission.webhooks.applied import seen
from argosy.apiserver.admission.webhooks.calling import Broken, Calls, Outcome, refusal
from argosy.apiserver.admission.webhooks.hook import Hook, hooks
from argosy.apiserver.admission.webhooks.review import request
from argosy.apiserver.answers import Ask
from argosy.base.errors import StatusError, internal_error


class ValidatingWebhooks:
    """An admission rule."""

    def __init__(self, registry: Registry, versions: Versions, calls: Calls) -> None:
        self._configured = registry.of(VALIDATING_WEBHOOKS, hooks)
        self._versions = versions
        self._calls = calls

    def __call__(self, attributes: Attributes) -> None:
        """Let the webhooks judge the object. Raises StatusError, and Unanswered."""
        configured = self._configured.all(attributes.answers)
        if not configured:
            return
        asked = [
            (hook, self._question(attributes, hook, wanted))
            for hook in chain.from_iterable(configured)
            if (wanted := hook.wants(attributes, self._versions)) is not None
        ]
        if not asked:
            return
        attributes.answers.need(*(ask for _, ask in asked if isinstance(ask, Ask)))
        errors = [
            error
            for index, (hook, ask) in enumerate(asked)
            if (error := self._judged(attributes, hook, ask, index)) is not None
        ]
        if errors:
            raise errors[0]

    def _question(
        self, attributes: Attributes, hook: Hook, wanted: Resource
    ) -> Ask | Broken | StatusError:
        new, old = seen(attributes, self._versions, wanted)
        try:
            sent = request(attributes, wanted, new, old)
            return self._calls.question(attributes, hook, "validating", sent)
        except StatusError as error:
            return error

    def _judged(
        self, attributes: Attributes, hook: Hook, ask: Ask | Broken | StatusError, index: int
    ) -> StatusError | None:
        """Why the request is refused, if it is."""
        if isinstance(ask, StatusError):
            return ask
        outcome: Outcome
        [outcome] = attributes.answers.need(ask) if isinstance(ask, Ask) else [ask]
        if isinstance(outcome, Broken):
            if not hook.ignored:
                return internal_error(outcome.text(hook.name))
            noted.failed_open(attributes, hook, index, "validating")
            return None
        noted.said(attributes, hook, outcome)
        return None if outcome.allowed else refusal(hook, outcome)
