"""The algebra of patches: what each kind of patch promises, whatever it is applied to.

A merge patch that tells a difference leads from one object to the other; operations of a JSON patch
that undo each other leave what was there; a strategic merge patch may be sent twice, keeps what it
is silent about, and sets the order that it names.
"""

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api import builtin
from argosy.apiserver import jsonpatch, mergepatch, strategicmerge

Json = dict[str, Any]

POD = builtin.load("1.37")("io.k8s.api.core.v1.PodSpec")
NAMES = st.sampled_from(["a", "b", "c", "a/b", "~", "", "0"])
LEAVES = st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "x"])
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=10,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=4)


# merge patches


def difference(old: Json, new: Json) -> Json:
    """The merge patch from `old` to `new`."""
    patch: Json = {name: None for name in old.keys() - new.keys()}
    for name, value in new.items():
        before = old.get(name)
        if isinstance(value, dict) and isinstance(before, dict):
            patch[name] = difference(before, value)
        elif name not in old or not same(before, value):
            patch[name] = value
    return patch


def same(one: Any, other: Any) -> bool:
    """Equal as JSON: to Python true is 1 as well."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)


@given(OBJECTS, OBJECTS)
def test_a_merge_patch_leads_to_its_target(old: Json, new: Json) -> None:
    before = copy.deepcopy(old)
    assert same(mergepatch.merge(old, difference(old, new)), new)
    assert same(old, before)


@given(OBJECTS, OBJECTS, OBJECTS)
def test_of_two_merge_patches_the_later_wins(old: Json, first: Json, second: Json) -> None:
    """Merging two patches, and then applying one, is applying both: if neither takes away."""
    both = mergepatch.merge(mergepatch.merge(old, first), second)
    if no_maps_over_leaves(first, second):
        assert same(mergepatch.merge(old, mergepatch.merge(first, second)), both)


def no_maps_over_leaves(first: Json, second: Json) -> bool:
    """A map in the second patch replaces a leaf of the first, but merges with what was there."""
    for name, value in second.items():
        before = first.get(name, {})
        if isinstance(value, dict):
            if not isinstance(before, dict) or not no_maps_over_leaves(before, value):
                return False
    return True


# JSON patches


def places(value: Any, path: str = "") -> list[tuple[str, Any]]:
    """All pointers into a value, with what is there; the whole itself is left out."""
    children: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value))
    found = []
    for key, item in children:
        below = f"{path}/{str(key).replace('~', '~0').replace('/', '~1')}"
        found += [(below, item), *places(item, below)]
    return found


@given(OBJECTS, VALUES, st.data())
def test_what_is_removed_and_added_again_is_there(
    obj: Json, value: Any, data: st.DataObject
) -> None:
    obj = {"new": value, **obj}
    path, there = data.draw(st.sampled_from(places(obj)))
    removed = jsonpatch.apply(obj, [{"op": "remove", "path": path}])
    assert not same(removed, obj)
    assert same(jsonpatch.apply(removed, [{"op": "add", "path": path, "value": there}]), obj)
    undone = [{"op": "replace", "path": path, "value": value}]
    undone.append({"op": "replace", "path": path, "value": there})
    assert same(jsonpatch.apply(obj, undone), obj)


@given(OBJECTS, VALUES)
def test_what_is_added_and_removed_again_is_gone(obj: Json, value: Any) -> None:
    obj.pop("c", None)
    added = jsonpatch.apply(obj, [{"op": "add", "path": "/c", "value": value}])
    assert same(added["c"], value)
    assert same(jsonpatch.apply(added, [{"op": "remove", "path": "/c"}]), obj)


@given(OBJECTS, VALUES, st.data())
def test_what_is_moved_or_copied_arrives(obj: Json, value: Any, data: st.DataObject) -> None:
    obj = {"b": value, **obj}
    obj.pop("new", None)
    path, there = data.draw(st.sampled_from(places(obj)))
    moved = jsonpatch.apply(obj, [{"op": "move", "from": path, "path": "/new"}])
    copied = jsonpatch.apply(obj, [{"op": "copy", "from": path, "path": "/new"}])
    assert same(moved["new"], there) and same(copied["new"], there)
    removed = jsonpatch.apply(obj, [{"op": "remove", "path": path}])
    assert same(moved, {**removed, "new": there})
    assert same(copied, {**obj, "new": there})


# strategic merge patches

KEYS = st.sampled_from("abcde")
CONTAINERS = st.lists(
    st.fixed_dictionaries({"name": KEYS}, optional={"image": KEYS, "command": st.lists(KEYS)}),
    max_size=4,
    unique_by=lambda item: item["name"],
)
PODS = st.fixed_dictionaries(
    {"containers": CONTAINERS}, optional={"nodeSelector": st.dictionaries(KEYS, KEYS, max_size=3)}
)
CHANGES = st.fixed_dictionaries(
    {
        "containers": st.lists(
            st.fixed_dictionaries(
                {"name": KEYS},
                optional={"image": KEYS | st.none(), "$patch": st.just("delete")},
            ),
            max_size=4,
            unique_by=lambda item: item["name"],
        )
    },
    optional={"nodeSelector": st.dictionaries(KEYS, KEYS | st.none(), max_size=3) | st.none()},
)


def names(pod: Json) -> list[str]:
    return [item["name"] for item in pod["containers"]]


@settings(max_examples=60)
@given(PODS, CHANGES)
def test_a_strategic_patch_may_be_sent_twice(pod: Json, patch: Json) -> None:
    before = copy.deepcopy((pod, patch))
    once = strategicmerge.merge(pod, patch, POD)
    assert strategicmerge.merge(once, patch, POD) == once
    assert (pod, patch) == before


@settings(max_examples=60)
@given(PODS, CHANGES)
def test_a_strategic_patch_changes_what_it_names(pod: Json, patch: Json) -> None:
    merged = strategicmerge.merge(pod, patch, POD)
    assert len(set(names(merged))) == len(names(merged))
    sent = {item["name"]: item for item in patch["containers"]}
    gone = {name for name, item in sent.items() if "$patch" in item}
    assert set(names(merged)) == (set(names(pod)) | sent.keys()) - gone
    old = {item["name"]: item for item in pod["containers"]}
    for item in merged["containers"]:
        name = item["name"]
        expected = mergepatch.merge(old.get(name, {}), sent.get(name, {}))
        assert item == expected
    untouched = [name for name in names(pod) if name not in sent]
    assert [name for name in names(merged) if name not in sent] == untouched


@settings(max_examples=60)
@given(PODS, st.permutations("abcde"), CONTAINERS)
def test_a_strategic_patch_sets_the_order(pod: Json, order: list[str], sent: list[Json]) -> None:
    sent = sorted(sent, key=lambda item: order.index(item["name"]))
    patch = {
        "containers": sent,
        "$setElementOrder/containers": [{"name": name} for name in order],
    }
    merged = strategicmerge.merge(pod, patch, POD)
    assert names(merged) == sorted(names(merged), key=order.index)
    assert strategicmerge.merge(merged, patch, POD) == merged
