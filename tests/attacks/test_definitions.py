"""Kinds and objects made to hurt the server: each with its refusal, and none takes long.

Whoever may define a kind says by what pattern, schema and rule its objects are judged; whoever may
write one says what is judged.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio

from tests.api.extensions.kit import TEXT, Json, fields, kind, version
from tests.apiserver.kit import MERGE, Answer, Api, serving

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WIDGETS = "/apis/example.com/v1/namespaces/default/widgets"
SECONDS = 10
"""Enough for a busy machine: what these would take without bounds is years."""
TEXTS: Json = {"type": "array", "items": TEXT}
BOUNDED: Json = {
    "type": "array",
    "maxItems": 3000,
    "items": {"type": "string", "maxLength": 30},
}


def nested(depth: int) -> Json:
    node: Json = {"type": "string"}
    for _ in range(depth):
        node = {"type": "object", "properties": {"a": node}}
    return fields(a=node)


def ruled(rule: str, **properties: Json) -> Json:
    found = fields(**(properties or {"a": TEXTS}))
    return {**found, "x-kubernetes-validations": [{"rule": rule}]}


def loops(depth: int) -> str:
    names = [f"v{i}" for i in range(depth)]
    inside = " + ".join(names)
    text = f"{inside} != ''"
    for name in reversed(names):
        text = f"self.a.all({name}, {text})"
    return text


@dataclass(frozen=True, kw_only=True)
class Bomb:
    """The schema of a spec; where it is taken, the spec of an object. And the refusal."""

    schema: Json
    spec: Json = field(default_factory=dict)
    status: int = 422
    refusal: str


BOMBS: Mapping[str, Bomb] = {
    "a schema that is its own part": Bomb(
        schema=fields(a={"$ref": "#/properties/spec"}), refusal="$ref: Forbidden: $ref is not"
    ),
    "a schema with definitions that name each other": Bomb(
        schema={**fields(a=TEXT), "definitions": {"a": {"$ref": "#/definitions/a"}}},
        refusal="definitions: Forbidden: definitions is not supported",
    ),
    "a schema of two hundred levels": Bomb(schema=nested(200), refusal="nested"),
    "two hundred properties with a dear rule each": Bomb(
        schema=fields(
            **{
                f"p{i}": {**TEXTS, "x-kubernetes-validations": [{"rule": "self.all(x, x != '')"}]}
                for i in range(200)
            }
        ),
        refusal="exceeds budget by factor of",
    ),
    "a thousand properties of thirty each, of which one is wrong": Bomb(
        schema=fields(
            **{f"p{i}": fields(**{f"q{j}": TEXT for j in range(30)}) for i in range(999)}, wrong={}
        ),
        refusal="properties[wrong].type: Required value",
    ),
    "a list whose items must differ": Bomb(
        schema=fields(a={**TEXTS, "uniqueItems": True}),
        refusal="uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
    ),
    "a pattern that Python tries for years": Bomb(
        schema=fields(a={**TEXT, "pattern": "^(a+)+$"}),
        spec={"a": "a" * 20_000 + "!"},
        refusal="should match '^(a+)+$'",
    ),
    "a pattern of a thousand by a thousand": Bomb(
        schema=fields(a={**TEXT, "pattern": "((a{100}){100}){100}"}),
        refusal="must be a valid regular expression, but isn't: error parsing regexp",
    ),
    "a pattern of all letters, a thousand times": Bomb(
        schema=fields(a={**TEXT, "pattern": r"(\pL{30}){30}"}),
        refusal="error parsing regexp: pattern too large",
    ),
    "a pattern that looks behind": Bomb(
        schema=fields(a={**TEXT, "pattern": r"^(.*)\1$"}),
        refusal="error parsing regexp: invalid escape sequence",
    ),
    "a loop in a loop in a loop": Bomb(
        schema=ruled(loops(3)), refusal="by factor of more than 100"
    ),
    "a rule that a bound makes cheap, and an expression does not": Bomb(
        schema=ruled("self.a.all(x, 'x'.matches(x)) || true", a=TEXTS),
        refusal="estimated rule cost exceeds budget",
    ),
    "a rule of three thousand brackets": Bomb(
        schema=ruled(f"{'(' * 3000}true{')' * 3000}"), refusal="compilation failed"
    ),
    "a rule of two thousand choices": Bomb(
        schema=ruled(f"{'true?' * 2000}true{':false' * 2000}"), refusal="compilation failed"
    ),
    "a rule that doubles a text": Bomb(
        schema=ruled("'aaaa'" + ".replace('', 'bbbbbbbbbbbbbbbbbbbb')" * 8 + ".size() > 0"),
        refusal="estimated rule cost exceeds budget",
    ),
    "a rule longer than all rules may be": Bomb(
        schema=ruled(f"'{'x' * 100_001}' == ''"), refusal="Forbidden"
    ),
    "patterns from an object, a thousand large ones": Bomb(
        schema=ruled("self.a.exists(x, 'abc'.matches(x))", a=BOUNDED),
        spec={"a": [rf"[\pL\d]{{{900 - i % 100}}}{i}" for i in range(1000)]},
        refusal="actual cost limit exceeded",
    ),
    "a number that is larger than its type": Bomb(
        schema=ruled("9223372036854775807 + self.a.size() > 0", a=BOUNDED),
        spec={"a": ["x"]},
        refusal="integer overflow",
    ),
    "the right to ask who may do what": Bomb(
        schema=ruled("authorizer.path('/').check('get').allowed()"),
        refusal="undeclared reference to 'authorizer'",
    ),
    "defaults that make of a few bytes a hundred gigabytes": Bomb(
        schema=fields(
            a={
                "type": "array",
                "items": fields(b={**TEXT, "default": "x" * 100_000}),
            }
        ),
        spec={"a": [{}] * 100_000},
        status=413,
        refusal="Request entity too large: limit is 4194304",
    ),
    "twenty thousand values of which none is right": Bomb(
        schema=fields(a={**TEXT, "enum": [f"v{i}" for i in range(20_000)]}),
        spec={"a": "none"},
        refusal='spec.a: Unsupported value: "none"',
    ),
    "twenty thousand fields that are missing": Bomb(
        schema={**fields(), "required": [f"v{i}" for i in range(20_000)]},
        spec={"a": "none"},
        refusal="spec.v0: Required value",
    ),
    "a list of one thing twice at its end": Bomb(
        schema=fields(a={**TEXTS, "x-kubernetes-list-type": "set"}),
        spec={"a": [*map(str, range(10_000)), "0"]},
        refusal='Duplicate value: "0"',
    ),
    "texts of a hundred thousand characters for each format": Bomb(
        schema=fields(
            a={**TEXT, "format": "date-time"},
            b={**TEXT, "format": "email"},
            c={**TEXT, "format": "duration"},
        ),
        spec={"a": "9" * 100_000, "b": "a@" * 50_000, "c": "1h" * 50_000 + "!"},
        refusal="spec.a in body must be of type date-time",
    ),
}


@pytest_asyncio.fixture
async def api() -> AsyncGenerator[Api, None]:
    async with serving() as running:
        yield running


async def tried(api: Api, bomb: Bomb) -> Answer:
    answer = await api.ask("POST", DEFINITIONS, kind(version(spec=bomb.schema)))
    if answer.status != 201:
        return answer
    assert bomb.spec, "it should have been refused"
    return await api.ask("POST", WIDGETS, {"metadata": {"name": "w"}, "spec": bomb.spec})


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
async def test_it_is_refused(api: Api, bomb: Bomb) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    answer = await tried(api, bomb)
    assert (answer.status, bomb.refusal in answer.message) == (bomb.status, True), answer.body
    assert loop.time() - began < SECONDS
    assert len(json.dumps(answer.body)) < 2 << 20


async def test_an_object_does_not_grow_patch_by_patch(api: Api) -> None:
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    await api.ask("POST", DEFINITIONS, kind(version(spec=fields(a=anything))))
    await api.ask("POST", WIDGETS, {"metadata": {"name": "w"}, "spec": {"a": {}}})

    async def grown(name: str, value: Any) -> Answer:
        body = {"spec": {"a": {name: value}}}
        return await api.ask("PATCH", f"{WIDGETS}/w", body, kind=MERGE)

    assert (await grown("one", "x" * 2_000_000)).status == 200
    answer = await grown("two", "x" * 2_000_000)
    assert (answer.status, answer.message) == (
        413,
        "Request entity too large: limit is 3145728",
    )
    assert (await grown("one", None)).status == 200
    assert (await grown("two", "x" * 2_000_000)).status == 200
