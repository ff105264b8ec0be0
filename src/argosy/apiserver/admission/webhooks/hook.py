"""One webhook, as its configuration says: whom to ask, about what, and what if nobody answers.

The engine that reads match conditions is imported when the first webhook has some.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from argosy.api.resource import Resource
from argosy.apiserver.admission.policy.matching import Matcher, name_of
from argosy.apiserver.admission.policy.versions import Versions
from argosy.apiserver.admission.rule import Attributes
from argosy.base.errors import StatusError

if TYPE_CHECKING:
    from argosy.apiserver.admission.policy.expressions import Conditions

Json = dict[str, Any]
REVIEW: Final = "v1"
QUIET: Final = ("None", "NoneOnDryRun")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hook:
    """A webhook. `uid` tells it from all others; `seconds` is how long it may take."""

    configuration: str
    name: str
    uid: str
    client: Mapping[str, Any]
    matcher: Matcher
    conditions: "Conditions | None"
    ignored: bool  # where it can't be asked
    seconds: int
    quiet: bool  # a dry run may ask it
    speaks: bool  # the one version of reviews that is sent
    again: bool  # it is asked once more after others changed the object

    def wants(self, attributes: Attributes, versions: Versions) -> Resource | None:
        """The version in which it wants to see the object; None where it is not asked.

        Raises StatusError where that can't be told.
        """
        wanted = self.matcher.matched(attributes)
        if wanted is None or self.conditions is None:
            return wanted
        from argosy.apiserver.admission.policy.activation import Activation

        seen = replace(
            attributes,
            new=versions.shown(attributes, attributes.new, wanted) or {},
            old=versions.shown(attributes, attributes.old, wanted),
        )
        verdict = self.conditions.check(Activation(seen, wanted))
        if isinstance(verdict, str):
            if self.ignored:
                return None
            raise _forbidden(attributes, verdict)
        return wanted if verdict else None


def _forbidden(attributes: Attributes, why: str) -> StatusError:
    resource, name = attributes.target.served.resource, name_of(attributes)
    shown = f'{resource.qualified} "{name}"' if name else resource.qualified
    details = {"group": resource.group, "kind": resource.plural, **({"name": name} if name else {})}
    return StatusError(403, "Forbidden", f"{shown} is forbidden: {why}", details=details)


def hooks(configuration: Json) -> Sequence[Hook]:
    """The webhooks of a configuration, in its order."""
    return tuple(_hook(configuration, one) for one in configuration.get("webhooks") or ())


def _hook(configuration: Json, one: Json) -> Hook:
    meta = configuration["metadata"]
    return Hook(
        configuration=str(meta["name"]),
        name=str(one.get("name") or ""),
        uid=f"{configuration['kind']}/{meta['name']}/{one.get('name')}",
        client=one.get("clientConfig") or {},
        matcher=Matcher.of(
            one.get("rules") or (),
            namespace_selector=one.get("namespaceSelector"),
            object_selector=one.get("objectSelector"),
            match_policy=one.get("matchPolicy") or "Equivalent",
        ),
        conditions=_conditions(one.get("matchConditions") or ()),
        ignored=one.get("failurePolicy") == "Ignore",
        seconds=one.get("timeoutSeconds") or 10,
        quiet=one.get("sideEffects") in QUIET,
        speaks=REVIEW in (one.get("admissionReviewVersions") or ()),
        again=one.get("reinvocationPolicy") == "IfNeeded",
    )


def _conditions(said: Sequence[Json]) -> "Conditions | None":
    if not said:
        return None
    from argosy.apiserver.admission.policy.expressions import Conditions

    return Conditions.stored(said)
