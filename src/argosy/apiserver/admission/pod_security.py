"""PodSecurity: the standards that a namespace's labels choose hold for the pods in it.

A pod that breaks what is enforced is refused. What it, or the template of a workload, would break
of the level to warn about is told to the client, and of the one to audit, to the audit log. The
labels are judged in `pod_security_labels`, the standards are `argosy.security.podsecurity`.
"""

from dataclasses import dataclass, field

import msgspec

from argosy.api.core import Namespace
from argosy.apiserver.admission.pod_security_labels import judge_namespace, newest
from argosy.apiserver.admission.rule import Attributes, Json
from argosy.apiserver.audit import notes
from argosy.base.errors import not_found
from argosy.security.podsecurity.exemptions import Exemptions
from argosy.security.podsecurity.levels import PREFIX, Chosen, Policy, Standard, chosen
from argosy.security.podsecurity.templates import TEMPLATES, pod_of, significant

RESOURCES = frozenset({"namespaces", "pods/ephemeralcontainers", "pods/resize", *TEMPLATES})
"""What the rule is about. Other parts of a pod say nothing of what it may do."""
ENFORCED = f"{PREFIX}enforce-policy"
MOST_NAMESPACES = 4096
"""Whose labels are remembered."""


@dataclass(frozen=True, slots=True)
class PodSecurity:
    """The rule. `defaults` hold where a namespace's labels are silent."""

    defaults: Policy = Policy()
    exempt: Exemptions = Exemptions()
    _known: dict[str, tuple[int, Chosen]] = field(default_factory=dict)

    def __call__(self, attributes: Attributes) -> None:
        """Judge a pod, a workload or a namespace. Raises StatusError 403, and 422 for labels."""
        resource = attributes.target.served.resource.qualified
        if resource == "namespaces":
            judge_namespace(attributes, self.defaults, self.exempt)
            return
        if reason := self.exempt.reason(attributes.user.name, attributes.target.namespace):
            _note(exempt=reason)
            return
        found = self._chosen(attributes)
        if resource == "pods":
            self._pod(attributes, found)
        elif found is not None:
            self._workload(attributes, resource, found)

    def _pod(self, attributes: Attributes, found: Chosen | None) -> None:
        if found is not None and _allows_all(found.policy) and not found.errors:
            notes.annotate(ENFORCED, "privileged:latest")
            return
        old = attributes.old
        if old is not None and not significant(attributes.new["spec"], old["spec"]):
            return
        if found is None:
            raise not_found("namespaces", attributes.target.namespace)
        self._judge(attributes, found, (attributes.new["metadata"], attributes.new["spec"]), True)

    def _workload(self, attributes: Attributes, resource: str, found: Chosen) -> None:
        policy = found.policy
        if policy.warn.level == policy.audit.level == "privileged" and not found.errors:
            return
        if (pod := pod_of(resource, attributes.new)) is not None:
            self._judge(attributes, found, pod, False)

    def _chosen(self, attributes: Attributes) -> Chosen | None:
        """What the namespace's labels choose; None where it is not there."""
        name = attributes.target.namespace
        record = attributes.look(Namespace.resource.key(name=name))
        if record is None:
            return None
        known = self._known.get(name)
        if known is None or known[0] != record.revision:
            labels = msgspec.json.decode(record.value, type=Namespace).metadata.labels
            known = self._known[name] = (record.revision, chosen(labels, self.defaults))
            if len(self._known) > MOST_NAMESPACES:
                del self._known[next(iter(self._known))]
        return known[1]

    def _judge(
        self, attributes: Attributes, found: Chosen, pod: tuple[Json, Json], enforce: bool
    ) -> None:
        if self.exempt.runs_exempt(pod[1]):
            _note(exempt="runtimeClass")
            return
        policy = found.policy
        verdicts = _Verdicts(pod, newest(attributes))
        if notes.CURRENT.get() is not None:
            _note_judged(found, verdicts, enforce)
        if enforce and (wrong := verdicts.of(policy.enforce)):
            raise attributes.refusal(f'violates PodSecurity "{policy.enforce}": {wrong}')
        if wrong := verdicts.of(policy.warn):
            attributes.warnings.append(_would(policy.warn, wrong))


@dataclass(frozen=True, slots=True)
class _Verdicts:
    """What a pod breaks, found out once for each standard."""

    pod: tuple[Json, Json]
    newest: int | None
    known: dict[Standard, str] = field(default_factory=dict)

    def of(self, standard: Standard) -> str:
        """In words; '' where nothing is wrong."""
        if standard not in self.known:
            # Most clusters never judge a pod, and none does before its first answer.
            from argosy.security.podsecurity.evaluate import evaluate, in_detail

            self.known[standard] = in_detail(evaluate(standard, *self.pod, newest=self.newest))
        return self.known[standard]


def _note(**annotations: str) -> None:
    """For the audit log."""
    for name, text in annotations.items():
        notes.annotate(PREFIX + name.replace("_", "-"), text)


def _note_judged(found: Chosen, verdicts: _Verdicts, enforce: bool) -> None:
    policy = found.policy
    if found.errors:
        errors = ", ".join(map(str, found.errors))
        shown = errors if len(found.errors) == 1 else f"[{errors}]"
        _note(error=f"Failed to parse policy: {shown}")
    if enforce:
        _note(enforce_policy=str(policy.enforce))
    if wrong := verdicts.of(policy.audit):
        _note(audit_violations=_would(policy.audit, wrong))


def _would(standard: Standard, wrong: str) -> str:
    return f'would violate PodSecurity "{standard}": {wrong}'


def _allows_all(policy: Policy) -> bool:
    return policy.enforce.level == policy.audit.level == policy.warn.level == "privileged"
