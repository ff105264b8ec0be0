"""MutatingAdmissionPolicies: expressions that change the object, one after the other.

Each sees the object as the one before it left it. One that fails, or makes what can't be laid over
the object, refuses the request or is passed over, as its policy's failure policy says.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from argosy.api.cel.mutation import mismatches, plain
from argosy.api.cel.values import CelError, Message
from argosy.api.resource import Resource
from argosy.api.schema import Schema
from argosy.apiserver import jsonpatch
from argosy.apiserver.admission.again import Rounds
from argosy.apiserver.admission.policy.activation import Activation
from argosy.apiserver.admission.policy.expressions import (
    OUT_OF_BUDGET,
    Failed,
    OutOfBudget,
)
from argosy.apiserver.admission.policy.lengthy import evaluated
from argosy.apiserver.admission.policy.params import NONE, Misconfigured, ParamKind, Params
from argosy.apiserver.admission.policy.validating import Binding, Policy
from argosy.apiserver.admission.rule import Attributes
from argosy.apiserver.admission.webhooks.applied import Patches
from argosy.apiserver.fieldmanager.check import check
from argosy.apiserver.fieldmanager.merge import merge
from argosy.apiserver.fieldmanager.shape import ANY, child, item_key
from argosy.base.errors import StatusError

Json = dict[str, Any]

KEPT: Final = "policies"
Concerned = Sequence[tuple[Policy, Sequence[Binding], Resource | None]]
LARGEST: Final = 3 * 1024 * 1024
"""Bytes of an object that a policy may make."""


@dataclass(frozen=True, slots=True)
class _Invocation:
    policy: Policy
    binding: Binding
    wanted: Resource
    param: Json | None

    @property
    def key(self) -> str:
        meta = (self.param or {}).get("metadata") or {}
        named = (self.policy.name, self.binding.name, meta.get("namespace"), meta.get("name"))
        return "/".join(str(part or "") for part in named)


@dataclass(slots=True)
class Mutating:
    """One request on its way through the policies that are in force."""

    attributes: Attributes
    params: Params
    patches: Patches
    refusals: list[tuple[str, str]] = field(default_factory=list)  # words, reason

    def run(self, concerned: Concerned) -> None:
        """Let the policies change the object. Raises StatusError."""
        invocations = list(self._invocations(concerned))
        if invocations:
            rounds = Rounds.of(self.attributes, KEPT)
            for invocation in invocations:
                self._invoke(invocation, rounds)
            rounds.over(self.attributes)
        if self.refusals:
            raise self._refusal()

    def _invocations(self, concerned: Concerned) -> Iterator[_Invocation]:
        for policy, bindings, always in concerned:
            try:
                wanted = always or policy.matcher.matched(self.attributes)
                if wanted is None:
                    continue
                kind = None if policy.param_kind is None else self.params.kind(policy.param_kind)
            except (StatusError, Misconfigured) as error:
                self._broken(policy, None, f"failed to configure policy: {error}")
                continue
            for binding in bindings:
                for param in self._bound(policy, binding, kind):
                    yield _Invocation(policy, binding, wanted, param)

    def _bound(
        self, policy: Policy, binding: Binding, kind: ParamKind | None
    ) -> Sequence[Json | None]:
        try:
            if binding.matcher is not None and not binding.matcher.matches(self.attributes):
                return ()
            if kind is None:
                return NONE
            return self.params.of(kind, binding.param_ref, self.attributes)
        except (StatusError, Misconfigured) as error:
            self._broken(policy, binding, f"failed to configure binding: {error}")
            return ()

    def _invoke(self, invocation: _Invocation, rounds: Rounds) -> None:
        policy, attributes = invocation.policy, self.attributes
        conditions = policy.body.conditions
        met = not conditions.expressions or conditions.check(self._activation(invocation))
        if met is False:
            return
        if met is not True:
            self._broken(policy, invocation.binding, met, "Invalid")
            return
        if attributes.round and invocation.key not in rounds.again:
            return
        changed = False
        for index in range(len(policy.body.mutations)):
            try:
                changed |= self._mutate(invocation, index)
            except (_FaultError, Failed) as error:
                self._broken(policy, invocation.binding, str(error), "Invalid")
            except OutOfBudget:
                self._broken(policy, invocation.binding, OUT_OF_BUDGET, "Invalid")
        if changed:
            rounds.changed()
            attributes.again = True
        if policy.again:
            rounds.before.add(invocation.key)

    def _activation(self, invocation: _Invocation) -> Activation:
        shown = self.params.versions.shown
        made = Activation(self.attributes, invocation.wanted, shown=shown)
        if invocation.policy.param_kind is None:
            return made
        return made.bound(params=invocation.param)

    def _mutate(self, invocation: _Invocation, index: int) -> bool:
        """Whether it changed the object. Raises Failed, _FaultError, OutOfBudget, StatusError."""
        attributes, wanted = self.attributes, invocation.wanted
        if not attributes.new:
            return False
        policy, activation = invocation.policy, self._activation(invocation)
        value = evaluated(policy, index, activation, invocation.param, attributes.answers)
        shown, _ = self.patches.shown(attributes, wanted)
        patch = policy.body.mutations[index].patch
        change = _patched if patch else _applied(self.patches.schema(attributes, wanted))
        try:
            patched = change(shown, value)
        except CelError as error:
            raise _FaultError(str(error)) from None
        if patched is shown:
            return False
        if len(msgspec.json.encode(patched)) > LARGEST:
            raise _FaultError("the object would become too large")
        name = f"MutatingAdmissionPolicy '{policy.name}'"
        try:
            return self.patches.take(attributes, name, wanted, shown, patched)
        except StatusError as error:
            if patch or error.code != 500:
                raise
            raise _mistyped(error.message.removeprefix("Internal error occurred: ")) from None

    def _broken(
        self, policy: Policy, binding: Binding | None, words: str, reason: str = ""
    ) -> None:
        if policy.fails:
            whose = f"policy '{policy.name}' with binding '{binding.name}'" if binding else ""
            whose = whose or f'policy "{policy.name}"'
            self.refusals.append((f"{whose} denied request: {words}", reason))

    def _refusal(self) -> StatusError:
        words, reason = self.refusals[0]
        error = self.attributes.refusal("")
        error.message = words
        error.args = (words,)
        error.reason = reason or error.reason
        error.details["causes"] = [{"message": text} for text, _ in self.refusals]
        return error


class _FaultError(Exception):
    """What a policy made can't be laid over the object."""


def _mistyped(why: str) -> _FaultError:
    words = f"failed to convert patch object to typed object: {why}"
    return _FaultError(f"error applying patch: {words}")


def _patched(shown: Json, value: Any) -> Json:
    """The object after a JSON patch; as it is where a test of the patch fails."""
    operations = []
    for item in value:
        _same_types(item.get("value"))
        operation = plain(item)
        operations.append({**{"op": "", "path": ""}, **operation})
    try:
        patched = jsonpatch.apply(shown, operations)
    except jsonpatch.TestFailedError:
        return shown
    except StatusError as error:
        words = error.message.removeprefix(f"{jsonpatch.REJECTED}: ")
        raise _FaultError(f"JSON Patch: {words}") from None
    if not isinstance(patched, dict):
        raise _FaultError("JSON Patch: the patch does not leave an object")
    return patched


def _applied(schema: Schema) -> Callable[[Json, Any], Json]:
    """What lays an apply configuration over an object of that schema."""

    def change(shown: Json, value: Any) -> Json:
        _same_types(value)
        head = {"apiVersion": shown["apiVersion"], "kind": shown["kind"]}
        patch = {**plain(value), **head}
        group_version = head["apiVersion"]
        try:
            check(patch, schema, f"{group_version}, Kind={head['kind']}")
        except StatusError as error:
            raise _mistyped(error.message.partition("): ")[2] or error.message) from None
        if atomic := list(_atomics(patch, shown, schema, "")):
            words = f"may not mutate atomic arrays, maps or structs: {', '.join(atomic)}"
            raise _FaultError(f"error applying patch: invalid ApplyConfiguration: {words}")
        merged: Json = merge(shown, patch, schema)
        return merged

    return change


def _same_types(value: Any) -> None:
    if isinstance(value, Message) and (wrong := mismatches(value, value.name)):
        raise _FaultError("type mismatch: " + "\n".join(wrong))


def _atomics(value: Any, live: Any, schema: Schema, path: str) -> Iterator[str]:
    """Paths of what could only be replaced as a whole: nobody means to lose what is not said.

    What the object does not have yet is no loss: the documented sidecar brings arguments, which
    are such a list.
    """
    if live is None:
        return
    if isinstance(value, Mapping) and schema.type in ("object", "any"):
        if schema.atomic:
            yield path
        known = live if isinstance(live, Mapping) else {}
        for name, item in value.items():
            yield from _atomics(item, known.get(name), child(schema, name), f"{path}.{name}")
    elif isinstance(value, list) and schema.type in ("array", "any"):
        if schema.type == "any" or schema.list_type == "atomic":
            yield path
        items = {item_key(item, schema): item for item in live if isinstance(live, list)}
        for at, item in enumerate(value):
            there = items.get(item_key(item, schema))
            yield from _atomics(item, there, schema.items or ANY, f"{path}[{at}]")
