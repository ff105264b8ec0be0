"""Which requests a policy, a binding or a webhook is about.

A `Matcher` is made once of what its configuration says; what rules say of a resource is found out
once for each resource and operation, so that a request that it is not about costs one look. With
the policy Equivalent a rule for one version of a kind holds for the others too: which those are is
told by `equivalents`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from argosy.api.resource import Resource
from argosy.api.resources.core import NAMESPACE
from argosy.api.validation.selectors import parsed
from argosy.apiserver.admission.policy.equivalents import Equivalents
from argosy.apiserver.admission.rule import Attributes
from argosy.base.errors import internal_error, not_found
from argosy.base.selectors import Selector

Json = dict[str, Any]

GROUP: Final = "admissionregistration.k8s.io"
EXEMPT: Final = frozenset(
    {
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
    }
)
"""No configuration of admission may keep others, or itself, from being mended."""
MOST: Final = 4096
"""Of what is remembered: resources, and namespaces."""
ANY: Final = frozenset({""})
"""Objects of any name: none is called so."""


Key = tuple[str, str, str, str, str]


def key_of(attributes: Attributes) -> Key:
    """What rules can be asked about: what is known of a request before its object is read."""
    resource = attributes.target.served.resource
    subresource = subresource_of(attributes)
    return (
        resource.group,
        resource.version,
        resource.plural,
        subresource,
        attributes.operation,
    )


def subresource_of(attributes: Attributes) -> str:
    """The subresource's name; what stands behind a proxy's is not ours."""
    subresource = attributes.target.subresource
    return subresource.partition("/")[0] if subresource else ""


def name_of(attributes: Attributes) -> str:
    """The object's name, where it has one."""
    meta = attributes.new.get("metadata") or {}
    return attributes.target.name or str(meta.get("name") or "")


def namespace_of(attributes: Attributes) -> str:
    """The namespace that a request is in. A Namespace counts as in itself, as upstream has it."""
    if attributes.target.served.resource is NAMESPACE:
        return name_of(attributes)
    return attributes.target.namespace


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, with sets to look things up in."""

    operations: frozenset[str]
    groups: frozenset[str]
    versions: frozenset[str]
    resources: tuple[tuple[str, str], ...]  # and subresources
    scope: str
    names: frozenset[str]

    @classmethod
    def of(cls, rule: Mapping[str, Any]) -> "Rule":
        """As configurations write it."""
        pairs = (str(item).partition("/") for item in rule.get("resources") or ())
        return cls(
            frozenset(rule.get("operations") or ()),
            frozenset(rule.get("apiGroups") or ()),
            frozenset(rule.get("apiVersions") or ()),
            tuple((resource, sub) for resource, _, sub in pairs),
            rule.get("scope") or "*",
            frozenset(rule.get("resourceNames") or ()) or ANY,
        )

    def covers(self, resource: Resource, subresource: str, operation: str) -> bool:
        """Whether it is about that, whatever the object's name."""
        return (
            not self.operations.isdisjoint(("*", operation))
            and not self.groups.isdisjoint(("*", resource.group))
            and not self.versions.isdisjoint(("*", resource.version))
            and self.scope in ("*", "Namespaced" if resource.namespaced else "Cluster")
            and any(
                one in ("*", resource.plural) and sub in ("*", subresource)
                for one, sub in self.resources
            )
        )


EVERYTHING: Final = Rule(*(frozenset({"*"}),) * 3, resources=(("*", "*"),), scope="*", names=ANY)
Names = frozenset[str]


@dataclass(frozen=True, slots=True)
class _Found:
    """What rules say of one resource: the names that they are about, by the version matched."""

    refused: Names
    wanted: Sequence[tuple[Resource, Names]]
    state: int | None  # of what told the versions; None where that stays
    sure: Resource | None = None  # matched, whatever the object


def _about(names: Names, name: str) -> bool:
    return names is ANY or name in names


@dataclass(frozen=True, slots=True, eq=False)
class Matcher:
    """Compiled rules and selectors; a selector is None where it can't be read."""

    rules: tuple[Rule, ...]
    exclude: tuple[Rule, ...]
    namespaces: Selector | None
    objects: Selector | None
    equivalents: Equivalents | None  # None: only what rules name
    _known: dict[Key, _Found] = field(default_factory=dict)
    _verdicts: dict[str, tuple[int, bool]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        rules: Iterable[Mapping[str, Any]],
        *,
        exclude: Iterable[Mapping[str, Any]] = (),
        namespace_selector: Json | None,
        object_selector: Json | None,
        match_policy: str,
    ) -> "Matcher":
        """Of a webhook's rules, say. No rules match nothing."""
        return cls(
            tuple(map(Rule.of, rules)),
            tuple(map(Rule.of, exclude)),
            parsed(namespace_selector),
            parsed(object_selector),
            None if match_policy == "Exact" else Equivalents(),
        )

    @classmethod
    def of_resources(cls, resources: Mapping[str, Any]) -> "Matcher":
        """Of `matchConstraints` or `matchResources`, where no rules match everything."""
        made = cls.of(
            resources.get("resourceRules") or (),
            exclude=resources.get("excludeResourceRules") or (),
            namespace_selector=resources.get("namespaceSelector"),
            object_selector=resources.get("objectSelector"),
            match_policy=resources.get("matchPolicy") or "Exact",
        )
        if made.rules:
            return made
        return cls((EVERYTHING,), made.exclude, made.namespaces, made.objects, made.equivalents)

    def matches(self, attributes: Attributes) -> bool:
        """Whether this is about the request. Raises StatusError where that can't be told."""
        return self.matched(attributes) is not None

    def matched(self, attributes: Attributes) -> Resource | None:
        """The version that the rules want the object in, where this is about the request.

        Raises StatusError where that can't be told: 404 for a namespace that is not there.
        """
        found = self._found(attributes, key_of(attributes))
        if found.sure is not None or not found.wanted:
            return found.sure
        name = name_of(attributes)
        if _about(found.refused, name):
            return None
        for resource, names in found.wanted:
            if _about(names, name):
                selected = self._in_namespaces(attributes) and self._in_objects(attributes)
                return resource if selected else None
        return None

    def never(self, attributes: Attributes) -> bool:
        """Whether it is about no request for this resource and operation, now and later."""
        found = self._found(attributes, key_of(attributes))
        return not found.wanted and found.state is None

    def always(self, attributes: Attributes) -> Resource | None:
        """The version that is matched by every such request, now and later; None: that depends."""
        found = self._found(attributes, key_of(attributes))
        return found.sure if found.state is None else None

    def _found(self, attributes: Attributes, key: Key) -> _Found:
        known = self._known.get(key)
        if known is not None and known.state is None:
            return known
        state = None if self.equivalents is None else self.equivalents.state(attributes)
        if known is None or known.state != state:
            if len(self._known) >= MOST:
                self._known.clear()
            known = self._known[key] = self._learnt(attributes, key[3], state)
        return known

    def _learnt(self, attributes: Attributes, subresource: str, state: int | None) -> _Found:
        resource, operation = attributes.target.served.resource, attributes.operation
        if resource.group == GROUP and resource.kind in EXEMPT:
            return _Found(frozenset(), (), None)
        others = [] if self.equivalents is None else self.equivalents.of(attributes)

        def covered(rules: Sequence[Rule]) -> list[tuple[Resource, Names]]:
            """What was asked for first."""
            pairs = [(rule, resource) for rule in rules]
            pairs += [(rule, other) for rule in rules for other in others]
            return [
                (version, rule.names)
                for rule, version in pairs
                if rule.covers(version, subresource, operation)
            ]

        refused: Names = frozenset()
        for _, names in covered(self.exclude):
            refused = ANY if ANY in (names, refused) else refused | names
        wanted = [] if refused is ANY else covered(self.rules)
        first, names = wanted[0] if wanted else (None, refused)
        sure = first if names is ANY and not refused and self._unselective() else None
        return _Found(refused, wanted, state, sure)

    def _unselective(self) -> bool:
        return all(
            selector is not None and not selector.requirements
            for selector in (self.namespaces, self.objects)
        )

    def _in_namespaces(self, attributes: Attributes) -> bool:
        selector = self.namespaces
        if selector is None:
            raise internal_error("the namespace selector can't be read")
        name = namespace_of(attributes)
        if not selector.requirements or not name:
            return True
        target = attributes.target
        changed = target.served.resource is NAMESPACE and not target.subresource
        if changed and attributes.operation in ("CREATE", "UPDATE"):
            return selector.matches(labels_of(attributes.new))
        return self._of_namespace(attributes, name, selector)

    def _of_namespace(self, attributes: Attributes, name: str, selector: Selector) -> bool:
        record = attributes.look(NAMESPACE.key(name=name))
        if record is None:
            raise not_found("namespaces", name)
        known = self._verdicts.get(name)
        if known is not None and known[0] == record.revision:
            return known[1]
        verdict = selector.matches(labels_of(msgspec.json.decode(record.value)))
        if len(self._verdicts) >= MOST:
            self._verdicts.clear()
        self._verdicts[name] = (record.revision, verdict)
        return verdict

    def _in_objects(self, attributes: Attributes) -> bool:
        selector = self.objects
        if selector is None:
            raise internal_error("the object selector can't be read")
        if not selector.requirements:
            return True
        return any(
            selector.matches(labels_of(obj))
            for obj in (attributes.new, attributes.old)
            if obj and "metadata" in obj
        )


def labels_of(obj: Mapping[str, Any]) -> Mapping[str, str]:
    """An object's labels."""
    meta = obj.get("metadata")
    found = meta.get("labels") if isinstance(meta, dict) else None
    return found if isinstance(found, dict) else {}
