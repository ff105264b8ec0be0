"""What is asked for, as the `spec` of a SubjectAccessReview: what webhooks are sent."""

from typing import Any

from argosy.apiserver.authorization.attributes import Attributes
from argosy.base.selectors import FieldSelector, Selector

Json = dict[str, Any]
_NAMES = ("namespace", "verb", "group", "version", "resource", "subresource", "name")


def spec_of(asked: Attributes) -> Json:
    """The parts that are not empty. Selectors are there as far as they could be read."""
    user = asked.user
    spec = {
        "user": user.name,
        "groups": list(user.groups),
        "uid": user.uid,
        "extra": {key: list(values) for key, values in user.extra.items()},
    }
    found = {key: value for key, value in spec.items() if value}
    if asked.path is not None:
        return {**found, "nonResourceAttributes": {"path": asked.path, "verb": asked.verb}}
    texts = {name: text for name in _NAMES if (text := getattr(asked, name))}
    return {**found, "resourceAttributes": {**texts, **_selectors(asked)}}


def _selectors(asked: Attributes) -> Json:
    found: Json = {}
    if terms := _fields(asked.fields):
        found["fieldSelector"] = {"requirements": terms}
    if terms := _labels(asked.labels):
        found["labelSelector"] = {"requirements": terms}
    return found


def _fields(selector: FieldSelector) -> list[Json]:
    return [
        {
            "key": ".".join(term.path),
            "operator": "In" if term.equal else "NotIn",
            "values": [term.value],
        }
        for term in selector.terms
    ]


def _labels(selector: Selector) -> list[Json]:
    return [
        {
            "key": term.key,
            "operator": term.operator,
            **({"values": sorted(term.values)} if term.values else {}),
        }
        for term in selector.requirements
    ]
