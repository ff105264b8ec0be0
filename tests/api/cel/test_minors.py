"""What a new expression may use, by the minor that is served."""

import pytest

from argosy.api.cel.environment import Environment, known
from argosy.api.cel.minors import SINCE, Allowed, allowed

NAMES = Environment({"object": "dyn", "authorizer": "kubernetes.authorization.Authorizer"})
ALWAYS = (
    "'a'.split(',').join('-') == 'a' && [1, 2].indexOf(1) == 0 && [1].sum() == 1",
    "url('http://a').getHost() == 'a' && 'a'.find('a') == 'a' && has(object.a)",
    "object.all(x, x > 1) && object.map(x, x + 1).exists_one(x, x == 2)",
    "object.format == 1 && object.name == object.path && object < 1",
)
CHECK = "authorizer.group('').resource('pods').check('get').allowed()"


def fault(source: str, minor: int, *before: str) -> str:
    return Allowed(minor, frozenset(before)).fault(NAMES.compile(source).root, source)


@pytest.mark.parametrize("source", ALWAYS)
def test_what_was_always_there_may_always_be_used(source: str) -> None:
    assert fault(source, 24) == ""


@pytest.mark.parametrize(
    ("since", "source", "place", "words"),
    [
        (27, CHECK, 17, "undeclared reference to 'group' (in container '')"),
        (28, "object.?a.orValue(1) > 0", 7, "unsupported syntax '.?'"),
        (28, "object[?'a'].hasValue()", 7, "unsupported syntax '[?'"),
        (28, "[?optional.of(1)].size() == 1", 2, "unsupported syntax '?'"),
        (28, "{?'a': optional.of(1)}.size() == 1", 2, "unsupported syntax '?'"),
        (28, "optional.of(1).value() == 1", 1, "undeclared reference to 'optional'"),
        (28, "1 < 2.0", 3, "found no matching overload for '_<_' applied to '(int, double)'"),
        (28, "quantity('1').isInteger()", 9, "undeclared reference to 'quantity'"),
        (29, "sets.contains([1], [1])", 1, "undeclared reference to 'sets'"),
        (29, "'%s'.format(['a']) == 'a'", 12, "undeclared reference to 'format'"),
        (30, "isIP('x')", 5, "undeclared reference to 'isIP'"),
        (30, "cidr('10.0.0.0/8').prefixLength() == 8", 5, "undeclared reference to 'cidr'"),
        (31, "format.dns1123Label().validate('a') == object", 1, "reference to 'format'"),
        (31, CHECK.replace(".check", ".fieldSelector('a').check"), 52, "'fieldSelector'"),
        (32, "[1, 2].all(i, v, i < v)", 11, "undeclared reference to 'all'"),
        (32, "[1].transformList(i, v, v) == [1]", 18, "undeclared reference to 'transformList'"),
        (33, "isSemver('1.0.0')", 9, "undeclared reference to 'isSemver'"),
        (34, "[2, 1].sortBy(x, x) == [1, 2]", 14, "undeclared reference to 'sortBy'"),
        (34, "lists.range(3).size() == 3", 1, "undeclared reference to 'lists'"),
        (37, "[1].includes(1)", 13, "undeclared reference to 'includes'"),
    ],
)
def test_what_came_later_is_refused_in_the_words_of_before(
    since: int, source: str, place: int, words: str
) -> None:
    told = fault(source, since - 1)
    assert words in told
    assert told.startswith(f"ERROR: <input>:1:{place}: ")
    assert fault(source, since) == ""
    assert fault(source, since - 1, source) == ""  # it was there before


def test_faults_are_told_once_in_their_order_where_they_are() -> None:
    source = "object.a &&\n [1].distinct() == [1].distinct().flatten()"
    assert fault(source, 33).splitlines() == [
        "ERROR: <input>:2:14: undeclared reference to 'distinct' (in container '')",
        " |  [1].distinct() == [1].distinct().flatten()",
        " | .............^",
        "ERROR: <input>:2:42: undeclared reference to 'flatten' (in container '')",
        " |  [1].distinct() == [1].distinct().flatten()",
        " | .........................................^",
    ]


def test_the_minor_before_the_served_one_counts() -> None:
    assert allowed(None) is None
    found = allowed("1.33", {"a": [{"rule": "x"}, {"expression": "y", "message": "z"}]})
    assert found == Allowed(32, frozenset(("x", "y")))


def test_every_function_of_the_table_is_one() -> None:
    assert [name for name in SINCE if not known(name)] == ["sortBy"]  # a macro
