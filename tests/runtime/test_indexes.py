"""Indexes: found by each of an object's values, and by none that it has no more."""

from argosy.api.core import ConfigMap
from argosy.api.meta import ObjectMeta, OwnerReference
from argosy.runtime.indexes import Index, owner_uid


def config_map(name: str, *values: str) -> ConfigMap:
    meta = ObjectMeta(name=name, namespace="default")
    return ConfigMap(metadata=meta, data={value: "" for value in values})


def found(index: Index[ConfigMap], value: str) -> list[str]:
    return [name for _, name in index.keys(value)]


def test_an_object_is_found_by_each_of_its_values() -> None:
    index = Index[ConfigMap](lambda obj: obj.data)
    one, two = config_map("one", "x", "y"), config_map("two", "x")
    for obj in (two, one):
        index.changed(obj.key, None, obj)
    assert (found(index, "x"), found(index, "y")) == (["one", "two"], ["one"])
    changed = config_map("one", "y", "z")
    index.changed(one.key, one, changed)
    assert [found(index, value) for value in "xyz"] == [["two"], ["one"], ["one"]]
    index.changed(one.key, changed, None)
    assert [found(index, value) for value in "xyz"] == [["two"], [], []]


def test_looking_for_what_nobody_has_leaves_nothing_behind() -> None:
    index = Index[ConfigMap](lambda obj: obj.data)
    one = config_map("one", "x")
    index.changed(one.key, None, one)
    index.changed(one.key, one, None)
    assert found(index, "nobody's") == []
    assert not index._keys


def test_only_the_managing_owner_counts() -> None:
    owners = (OwnerReference(uid="a"), OwnerReference(uid="b", controller=True))
    owned = ConfigMap(metadata=ObjectMeta(owner_references=owners))
    assert list(owner_uid(owned)) == ["b"]
    assert list(owner_uid(ConfigMap())) == []
