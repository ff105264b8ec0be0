from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.apiserver.fieldmanager.fieldset import (
    FieldSet,
    difference,
    exclude,
    from_names,
    has,
    intersection,
    ordered,
    parse,
    paths,
    union,
)

Paths = frozenset[tuple[str, ...]]

STEP = st.sampled_from(["f:a", "f:b", 'k:{"name":"x"}', "v:1"])
PATHS = st.frozensets(st.lists(STEP, min_size=1, max_size=3).map(tuple), max_size=6)


def trie(members: Paths) -> FieldSet:
    """The trie of a set of paths, made in another way: by what KEP-555 says of its form."""
    heads = sorted({path[0] for path in members})
    fields: FieldSet = {}
    for head in heads:
        tails = frozenset(path[1:] for path in members if path[0] == head)
        below = trie(tails - {()})
        fields[head] = {".": {}, **below} if () in tails and below else below
    return fields


@given(PATHS, PATHS)
def test_are_sets_of_paths(left: Paths, right: Paths) -> None:
    one, two = trie(left), trie(right)
    assert union(one, two) == trie(left | right)
    assert intersection(one, two) == trie(left & right)
    assert difference(one, two) == trie(left - right)
    assert all(has(one, path) is (path in left) for path in left | right)
    assert len(list(paths(one))) == len(left)


@given(PATHS, PATHS)
def test_excludes_what_lies_below(left: Paths, right: Paths) -> None:
    rest = frozenset(path for path in left if not any(path[: len(cut)] == cut for cut in right))
    assert exclude(trie(left), trie(right)) == trie(rest)


@given(PATHS, PATHS)
@pytest.mark.parametrize("operation", [union, intersection, difference, exclude])
def test_operations_keep_arguments_and_order(
    operation: Callable[[FieldSet, FieldSet], FieldSet], left: Paths, right: Paths
) -> None:
    one, two = trie(left), trie(right)
    result = operation(one, two)
    assert (one, two) == (trie(left), trie(right))
    assert list(result) == list(ordered(result))


def test_reads_steps_in_any_spelling() -> None:
    raw: FieldSet = {
        'k:{ "b": 2, "a":"x" }': {"f:y": {}, "f:x": {".": {}}},
        "v: 1": {},
        "z:new": {},
    }
    assert parse(raw) == {'k:{"a":"x","b":2}': {"f:x": {}, "f:y": {}}, "v:1": {}}


@pytest.mark.parametrize("raw", [[], {"k:[]": {}}, {"v:{": {}}, {"f:a": 1}])
def test_refuses_what_is_no_set(raw: object) -> None:
    with pytest.raises(ValueError):
        parse(raw)


def test_orders_keys_by_what_they_say() -> None:
    ports: FieldSet = {f'k:{{"port":{port}}}': {} for port in (443, 80, 9)}
    values: FieldSet = {f"v:{value}": {} for value in ('"b"', "10", '"a"', "9", "true", "null")}
    assert list(ordered({**values, **ports, "f:z": {}, ".": {}})) == [
        *(".", "f:z", 'k:{"port":9}', 'k:{"port":80}', 'k:{"port":443}'),
        *("v:9", "v:10", 'v:"a"', 'v:"b"', "v:true", "v:null"),
    ]


def test_paths_are_readable() -> None:
    fields = parse(
        {
            "f:spec": {"f:ports": {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:name": {}}}},
            "f:metadata": {"f:finalizers": {'v:"a/b"': {}}},
        }
    )
    assert list(paths(fields)) == [
        '.metadata.finalizers[="a/b"]',
        '.spec.ports[port=80,protocol="TCP"]',
        '.spec.ports[port=80,protocol="TCP"].name',
    ]


def test_from_names() -> None:
    assert from_names(["status", "metadata.labels", "metadata.annotations"]) == {
        "f:status": {},
        "f:metadata": {"f:labels": {}, "f:annotations": {}},
    }
