"""What somebody lacks of what a role would grant."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.security.rbac.cover import MOST_LACKING, TooManyError, lacking, told
from argosy.security.rbac.objects import PolicyRule
from tests.security.rbac.kit import paths, rule


@pytest.mark.parametrize(
    ("held", "wanted", "missing"),
    [
        ([], [rule("get", "pods")], ['{APIGroups:[""], Resources:["pods"], Verbs:["get"]}']),
        ([rule("get,list", "pods")], [rule("get", "pods")], []),
        ([rule("get", "pods"), rule("list", "pods")], [rule("get,list", "pods")], []),
        (
            [rule("get", "pods")],
            [rule("get,list,watch", "pods")],
            ['{APIGroups:[""], Resources:["pods"], Verbs:["list" "watch"]}'],
        ),
        ([rule("*", "*", "*")], [rule("get", "pods", "apps")], []),
        (
            [rule("get,list", "pods")],
            [rule("*", "pods")],
            ['{APIGroups:[""], Resources:["pods"], Verbs:["*"]}'],
        ),
        (
            [rule("get", "pods")],
            [rule("get", "*")],
            ['{APIGroups:[""], Resources:["*"], Verbs:["get"]}'],
        ),
        (
            [rule("get", "pods")],
            [rule("get", "pods/log")],
            ['{APIGroups:[""], Resources:["pods/log"], Verbs:["get"]}'],
        ),
        ([rule("get", "*/scale", "apps")], [rule("get", "deployments/scale", "apps")], []),
        ([rule("get", "pods", names="a,b")], [rule("get", "pods", names="a")], []),
        ([rule("get", "pods")], [rule("get", "pods", names="a")], []),
        (
            [rule("get", "pods", names="a")],
            [rule("get", "pods", names="a,b")],
            ['{APIGroups:[""], Resources:["pods"], ResourceNames:["b"], Verbs:["get"]}'],
        ),
        (
            [rule("get", "pods", names="a")],
            [rule("get", "pods")],
            ['{APIGroups:[""], Resources:["pods"], Verbs:["get"]}'],
        ),
        ([paths("get", "/a/*")], [paths("get", "/a/b,/a/*")], []),
        (
            [paths("get", "/a/*"), rule("*", "*", "*")],
            [paths("get,post", "/a/b")],
            ['{NonResourceURLs:["/a/b"], Verbs:["post"]}'],
        ),
        ([paths("get", "/a")], [paths("get", "*")], ['{NonResourceURLs:["*"], Verbs:["get"]}']),
        ([], [PolicyRule()], []),
    ],
)
def test_what_is_missing(
    held: list[PolicyRule], wanted: list[PolicyRule], missing: list[str]
) -> None:
    assert told(lacking(held, wanted)) == "\n".join(missing)


def test_great_roles_cost_little() -> None:
    many = tuple(f"r{i}" for i in range(2000))
    great = PolicyRule(many, many, many, many)
    assert lacking([great], [great]) == []
    assert len(lacking([], [great])) == MOST_LACKING
    with pytest.raises(TooManyError):
        lacking([rule("*", "*", "*")], [great])
    urls = PolicyRule(verbs=many, paths=many)
    with pytest.raises(TooManyError):
        lacking([paths("*", "*")], [urls])


WORDS = st.lists(st.sampled_from(["a", "b", "*"]), min_size=1, max_size=2, unique=True)
NAMES = st.lists(st.sampled_from(["x", "y"]), max_size=2, unique=True)
RULES = st.lists(
    st.builds(
        lambda verbs, groups, resources, names: PolicyRule(
            tuple(verbs), tuple(groups), tuple(resources), tuple(names)
        ),
        WORDS,
        WORDS,
        WORDS,
        NAMES,
    ),
    max_size=3,
)


def _allowed(rules: list[PolicyRule], verb: str, group: str, resource: str, name: str) -> bool:
    return any(
        ({verb, "*"} & set(rule.verbs or ()))
        and ({group, "*"} & set(rule.groups or ()))
        and ({resource, "*"} & set(rule.resources or ()))
        and (not rule.names or name in rule.names)
        for rule in rules
    )


@given(RULES, RULES)
@settings(max_examples=150, deadline=None)
def test_nothing_is_granted_that_is_not_held(
    held: list[PolicyRule], wanted: list[PolicyRule]
) -> None:
    """Named safety property: where nothing is lacking, no request is newly allowed."""
    if lacking(held, wanted):
        return
    for verb in "abc":
        for group in "abc":
            for resource in "abc":
                for name in "xyz":
                    asked = (verb, group, resource, name)
                    assert _allowed(held, *asked) or not _allowed(wanted, *asked)
