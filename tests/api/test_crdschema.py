"""What a struct encodes its definition takes, and gives back as it was: over random structs."""

from copy import deepcopy
from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api import builtin
from argosy.api.crdschema import root_of
from argosy.api.extensions import checking
from argosy.api.extensions.nodes import ABSENT
from argosy.api.extensions.structure import faults
from argosy.api.extensions.tidying import filler, tidy
from argosy.api.meta import Object
from argosy.base.errors import FieldError

Json = dict[str, Any]
Made = tuple[Any, st.SearchStrategy[Any]]
"""A type, and values of it."""

DEFINITIONS = builtin.load()
WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=5)
NUMBERS = st.integers(-(2**63), 2**63 - 1)
PLAIN: st.SearchStrategy[Any] = st.recursive(
    st.booleans() | NUMBERS | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=4,
)
LEAVES: tuple[Made, ...] = (
    (str, WORDS),
    (Annotated[str, msgspec.Meta(max_length=3)], st.text("abc", max_size=3)),
    (Annotated[str, msgspec.Meta(pattern="^a+$")], st.text("a", min_size=1)),
    (int, NUMBERS),
    (Annotated[int, msgspec.Meta(gt=0, lt=9)], st.integers(1, 8)),
    (Annotated[int, msgspec.Meta(ge=-1, le=1)], st.integers(-1, 1)),
    (bool, st.booleans()),
    (float, st.floats(allow_nan=False, allow_infinity=False)),
    (int | str, st.integers(-(2**31), 2**31 - 1) | WORDS),
    (Any, PLAIN),
    (dict[str, Any], st.dictionaries(WORDS, PLAIN, max_size=2)),
)  # fmt: skip
CHOICE: Made = (Literal["a", "b"], st.sampled_from(["a", "b"]))


LIST: Any = list
MAP: Any = dict


def containers(inner: st.SearchStrategy[Made]) -> st.SearchStrategy[Made]:
    """What holds others."""
    listed = inner.map(lambda made: (LIST[made[0]], st.lists(made[1], max_size=3)))
    mapped = inner.map(
        lambda made: (MAP[str, made[0]], st.dictionaries(WORDS, made[1], max_size=3))
    )
    optional = inner.map(lambda made: (made[0] | None, st.none() | made[1]))
    return listed | mapped | optional | structs(inner)


@st.composite
def structs(draw: st.DrawFn, inner: st.SearchStrategy[Made]) -> Made:
    """A struct of a few fields, some with a default, and what makes objects of it."""
    fields = draw(st.lists(inner | st.just(CHOICE), max_size=3))
    defaulted = draw(st.integers(0, len(fields)))
    told: list[Any] = []
    for number, (kind, values) in enumerate(fields):
        name = f"field_{number}"
        if number < defaulted:
            told.append((name, kind))
        elif draw(st.booleans()):
            told.append((name, kind | None, None))
            fields[number] = (kind | None, st.none() | values)
        else:
            default = msgspec.field(default_factory=partial(deepcopy, draw(values)))
            told.append((name, kind, default))
    struct = msgspec.defstruct("Part", told, rename="camel")
    return struct, st.tuples(*(values for _, values in fields)).map(lambda given: struct(*given))


TYPES = st.recursive(st.sampled_from(LEAVES), containers, max_leaves=6)


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_what_is_encoded_comes_back(data: st.DataObject) -> None:
    spec, values = data.draw(structs(TYPES))
    kind = msgspec.defstruct("Thing", [("spec", spec)], bases=(Object,), frozen=True, kw_only=True)
    root = root_of(kind, DEFINITIONS)
    assert faults(root, "schema", status=True) == []
    value = data.draw(values)
    sent = {"metadata": {"name": "it"}, "spec": msgspec.json.decode(msgspec.json.encode(value))}
    stored = through(root, sent)
    assert msgspec.json.decode(msgspec.json.encode(stored["spec"]), type=spec) == value


def through(root: Json, sent: Json) -> Json:
    """What is stored of an object by a server that knows it by this schema."""
    unknown: list[str] = []
    stored = tidy(root, sent, unknown)
    assert unknown == []
    if (fill := filler(root)) is not None:
        fill(stored)
    errors: list[FieldError] = []
    checking.compiled(root, root=True)(stored, ABSENT, "", errors)
    assert errors == []
    return stored
