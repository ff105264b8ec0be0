"""One request on its way through the ValidatingAdmissionPolicies that are in force.

All policies whose bindings want to be asked are asked, also after one has refused: others may have
something to warn of or to note. The first refusal is the answer.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from argosy.api.resource import Resource
from argosy.apiserver.admission.policy.activation import Activation
from argosy.apiserver.admission.policy.lengthy import judged
from argosy.apiserver.admission.policy.params import NONE, Misconfigured, ParamKind, Params
from argosy.apiserver.admission.policy.validating import (
    NOTHING,
    Binding,
    Denial,
    Judgement,
    Policy,
)
from argosy.apiserver.admission.rule import Attributes
from argosy.apiserver.audit import notes
from argosy.base.errors import StatusError

Json = dict[str, Any]

NOTED: Final = "validation.policy.admission.k8s.io/validation_failure"
CODES: Final = {"Forbidden": 403, "Unauthorized": 401, "RequestEntityTooLarge": 413}


def ask_all(
    attributes: Attributes,
    params: Params,
    bound: Iterable[tuple[Policy, Sequence[Binding], Resource | None]],
) -> None:
    """Ask all policies, for their bindings. Raises StatusError where one refuses.

    With a policy comes the version that its rules match in any case, if that is known.
    """
    asked = _Asked(attributes, params)
    for policy, bindings, wanted in bound:
        asked.ask(policy, bindings, wanted)
    if asked.refusals:
        raise _refusal(attributes, asked.refusals[0])


@dataclass(frozen=True, slots=True)
class _Refusal:
    policy: Policy
    binding: Binding | None
    denial: Denial

    def words(self) -> str:
        whose = f" with binding '{self.binding.name}'" if self.binding else ""
        name = f"ValidatingAdmissionPolicy '{self.policy.name}'{whose}"
        return f"{name} denied request: {self.denial.message}"


@dataclass(slots=True)
class _Asked:
    """One request, on its way through the policies."""

    attributes: Attributes
    params: Params
    refusals: list[_Refusal] = field(default_factory=list)
    activations: dict[str, Activation] = field(default_factory=dict)

    def ask(self, policy: Policy, bindings: Sequence[Binding], wanted: Resource | None) -> None:
        """Ask one policy for each binding that is about the request."""
        try:
            wanted = wanted or policy.matcher.matched(self.attributes)
            if wanted is None:
                return
            kind = None if policy.param_kind is None else self.params.kind(policy.param_kind)
        except (StatusError, Misconfigured) as error:
            self.misconfigured(policy, None, error)
            return
        noted: dict[str, list[str]] = {}
        for binding in bindings:
            if (params := self.bound(policy, binding, kind)) is None:
                continue
            activation = self.activation(wanted)
            for param in params:
                said = judged(policy, activation, param, self.attributes.answers)
                if said is not NOTHING:
                    self.take(policy, binding, said, noted)
        for key, values in noted.items():
            notes.annotate(f"{policy.name}/{key}", ", ".join(values))

    def bound(
        self, policy: Policy, binding: Binding, kind: ParamKind | None
    ) -> Sequence[Json | None] | None:
        """The parameters of a binding that is about the request."""
        try:
            if binding.matcher is not None and not binding.matcher.matches(self.attributes):
                return None
            if kind is None:
                return NONE
            return self.params.of(kind, binding.param_ref, self.attributes)
        except (StatusError, Misconfigured) as error:
            self.misconfigured(policy, binding, error)
            return None

    def activation(self, wanted: Resource) -> Activation:
        """The values of the request, in that version: one for all policies."""
        known = self.activations.get(wanted.api_version)
        if known is None:
            known = self.activations[wanted.api_version] = Activation(
                self.attributes, wanted, shown=self.params.versions.shown
            )
        return known

    def misconfigured(self, policy: Policy, binding: Binding | None, error: Exception) -> None:
        """What can't be asked refuses, or not."""
        if policy.fails:
            what = "policy" if binding is None else "binding"
            denial = Denial(0, f"failed to configure {what}: {error}")
            self.refusals.append(_Refusal(policy, binding, denial))

    def take(
        self, policy: Policy, binding: Binding, said: Judgement, noted: dict[str, list[str]]
    ) -> None:
        """Do what the binding wants done about it."""
        for denial in said.denials:
            if "Deny" in binding.actions:
                self.refusals.append(_Refusal(policy, binding, denial))
            if "Audit" in binding.actions:
                notes.annotate(NOTED, _noted(binding, denial))
            if "Warn" in binding.actions:
                self.warn(policy, binding, denial)
        for key, value in said.annotations:
            values = noted.setdefault(key, [])
            if value not in values:
                values.append(value)
        self.refusals += [_Refusal(policy, binding, Denial(0, error)) for error in said.errors]

    def warn(self, policy: Policy, binding: Binding, denial: Denial) -> None:
        """Tell the client, once."""
        words = (
            f"Validation failed for ValidatingAdmissionPolicy '{policy.name}' "
            f"with binding '{binding.name}': {denial.message}"
        )
        if words not in self.attributes.warnings:
            self.attributes.warnings.append(words)


def _noted(binding: Binding, denial: Denial) -> str:
    failure = {
        "message": denial.message,
        "policy": binding.policy,
        "binding": binding.name,
        "expressionIndex": denial.index,
        "validationActions": list(binding.actions),
    }
    return json.dumps([failure], ensure_ascii=False, separators=(",", ":"))


def _refusal(attributes: Attributes, first: _Refusal) -> StatusError:
    words = first.words()
    error = attributes.refusal(words)
    error.reason = first.denial.reason or "Invalid"
    error.code = CODES.get(error.reason, 422)
    error.details["causes"] = [{"message": words}]
    return error
