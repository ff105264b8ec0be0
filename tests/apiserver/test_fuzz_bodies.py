"""Bodies, patches, selectors and headers that are nearly right: taken, or refused as a `Status`.

Beside `test_fuzz`, which makes up whole requests, this one begins with what works (a body in each
form, each kind of patch, the grammar of selectors) and breaks it a little.
"""

import json
from typing import Any
from urllib.parse import urlencode

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.protobuf.codec import MEDIA_TYPE, load
from argosy.http.message import Request
from tests.apiserver.kit import APPLY, BODIES, JSON, MERGE, RESOURCES, STRATEGIC, YAML, path
from tests.apiserver.test_fuzz import ANYTHING, NOISE, mangled, run

CODEC = load()
JSON_PATCH = "application/json-patch+json"
KINDS = sorted(BODIES)
IN_PROTOBUF = [kind for kind in KINDS if CODEC.knows(RESOURCES[kind].api_version, kind)]
ODD_JSON = st.sampled_from(
    [
        "NaN",
        "-Infinity",
        "1e999",
        "-0",
        "1.0",
        "9" * 40,
        "9223372036854775808",
        '"\\ud800"',
        '"\\u0000"',
        '{"a":1,"a":2}',
        "[" * 200 + "]" * 200,
        "[" * 3000,
        '{"a":' * 3000,
        "null",
        "",
    ]
)


def whole(kind: str) -> dict[str, Any]:
    resource = RESOURCES[kind]
    meta = {"name": "it", "labels": {"a": "b"}, "finalizers": ["a.b/c"]}
    head = {"apiVersion": resource.api_version, "kind": kind, "metadata": meta}
    return {**head, **json.loads(json.dumps(BODIES[kind]))}


def made(kind: str) -> Request:
    return Request("POST", path(kind), "", {"content-type": JSON}, json.dumps(whole(kind)).encode())


@st.composite
def broken(draw: st.DrawFn, body: bytes) -> bytes:
    """`body` with a few bytes changed, left out, repeated or put in."""
    data = bytearray(body)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        until = min(len(data), at + draw(st.integers(0, 4)))
        put = draw(st.binary(max_size=3) | st.just(bytes(data[at:until]) * 2))
        data[at:until] = put
    return bytes(data)


@st.composite
def spoilt(draw: st.DrawFn, value: Any) -> bytes:
    """`value` in JSON, with something that JSON or Go has its own opinion of in some place."""
    text = json.dumps(value)
    marks = [at for at, letter in enumerate(text) if letter in ":,["]
    at = draw(st.sampled_from(marks)) + 1 if marks else 0
    return (text[:at] + draw(ODD_JSON) + text[at:]).encode()


@settings(max_examples=60)
@given(st.sampled_from(KINDS), st.data())
def test_bodies_that_are_nearly_json(kind: str, data: st.DataObject) -> None:
    body = data.draw(spoilt(whole(kind)) | broken(json.dumps(whole(kind)).encode()))
    strict = data.draw(st.sampled_from(["", "fieldValidation=Strict", "dryRun=All"]))
    kinds = data.draw(st.sampled_from([MERGE, STRATEGIC, APPLY]))
    run(
        [
            Request("POST", path(kind), strict, {"content-type": JSON}, body),
            made(kind),
            Request("PUT", path(kind, "it"), strict, {"content-type": JSON}, body),
            Request("PATCH", path(kind, "it"), "fieldManager=a", {"content-type": kinds}, body),
            Request("DELETE", path(kind, "it"), strict, {"content-type": JSON}, body),
        ]
    )


@settings(max_examples=40)
@given(st.sampled_from(KINDS), st.data())
def test_bodies_that_are_nearly_yaml(kind: str, data: st.DataObject) -> None:
    plain = yaml.safe_dump(whole(kind), default_flow_style=data.draw(st.booleans())).encode()
    alphabet = "ab:-?[]{}#&*!|>'\"%@`, \n\t0x."
    body = data.draw(broken(plain) | st.text(alphabet, max_size=40).map(str.encode))
    run(
        [
            Request("POST", path(kind), "", {"content-type": YAML}, body),
            Request("PATCH", path(kind, "it"), "fieldManager=a", {"content-type": APPLY}, body),
            Request("PUT", path(kind, "it"), "", {"content-type": YAML}, body),
        ]
    )


@settings(max_examples=60)
@given(st.sampled_from(IN_PROTOBUF), st.data())
def test_bodies_that_are_nearly_protobuf(kind: str, data: st.DataObject) -> None:
    body = data.draw(broken(CODEC.encode_object(whole(kind))))
    accept = data.draw(st.sampled_from([JSON, MEDIA_TYPE, f"{MEDIA_TYPE},{JSON}"]))
    headers = {"content-type": MEDIA_TYPE, "accept": accept}
    if accept != MEDIA_TYPE:  # `run` reads errors in JSON
        run(
            [
                Request("POST", path(kind), "", headers, body),
                made(kind),
                Request("PUT", path(kind, "it"), "", headers, body),
                Request("DELETE", path(kind, "it"), "", headers, body),
            ]
        )


def pointers() -> st.SearchStrategy[str]:
    parts = ["metadata", "labels", "spec", "containers", "0", "-", "-1", "name", "status", "~1", ""]
    likely = st.lists(st.sampled_from(parts), max_size=4).map(
        lambda found: "".join(f"/{part}" for part in found)
    )
    return likely | likely | NOISE


OPERATIONS = st.lists(
    st.fixed_dictionaries(
        {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]) | ANYTHING},
        optional={"path": pointers() | ANYTHING, "from": pointers() | ANYTHING, "value": ANYTHING},
    )
    | ANYTHING,
    max_size=4,
)
DIRECTIVES = st.dictionaries(
    st.sampled_from(
        [
            "$patch",
            "$retainKeys",
            "$setElementOrder/containers",
            "$setElementOrder/finalizers",
            "$deleteFromPrimitiveList/finalizers",
            "$deleteFromPrimitiveList/containers",
            "$setElementOrder",
            "$unknown",
        ]
    ),
    st.sampled_from(["replace", "delete", "merge", [], ["name"], [{"name": "main"}], {}, 1])
    | ANYTHING,
    max_size=2,
)


@st.composite
def directed(draw: st.DrawFn, value: Any) -> Any:
    """`value` with directives in some of its maps."""
    if isinstance(value, dict):
        found = {name: draw(directed(item)) for name, item in value.items()}
        return {**found, **draw(st.just({}) | DIRECTIVES)}
    if isinstance(value, list):
        return [draw(directed(item)) for item in value] + draw(
            st.just([]) | st.just([{"$patch": "replace"}]) | st.lists(DIRECTIVES, max_size=1)
        )
    return value


@settings(max_examples=40)
@given(st.sampled_from(KINDS), st.data())
def test_patches_that_nearly_fit(kind: str, data: st.DataObject) -> None:
    where, below = path(kind, "it"), data.draw(st.sampled_from(["", "/status"]))
    part = {name: item for name, item in whole(kind).items() if name not in ("apiVersion", "kind")}
    strategic = data.draw(directed(data.draw(mangled(part))))
    applied = data.draw(mangled(whole(kind)) | mangled(part))
    operations = json.dumps(data.draw(OPERATIONS)).encode()
    query = "fieldManager=a" + data.draw(st.sampled_from(["", "&force=true", "&dryRun=All"]))
    plain = query.replace("&force=true", "")
    run(
        [
            made(kind),
            Request("PATCH", where + below, plain, {"content-type": JSON_PATCH}, operations),
            Request(
                "PATCH",
                where + below,
                plain,
                {"content-type": data.draw(st.sampled_from([STRATEGIC, MERGE]))},
                json.dumps(strategic).encode(),
            ),
            Request(
                "PATCH", where + below, query, {"content-type": APPLY}, json.dumps(applied).encode()
            ),
            Request("GET", path(kind)),
        ]
    )


TOKENS = st.sampled_from(
    [
        "a",
        "b/c",
        "in",
        "notin",
        "(",
        ")",
        ",",
        "=",
        "==",
        "!=",
        "!",
        " ",
        "gt",
        ">",
        "x.y",
        ".",
        "-",
    ]
)
SELECTORS = st.lists(TOKENS | NOISE, max_size=10).map("".join)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["accept", "accept-encoding", "content-encoding", "if-none-match", "user-agent", "warning"]
    ),
    st.lists(
        st.sampled_from(
            ["gzip", "*", "q=0", ";", ",", JSON, MEDIA_TYPE, "as=Table", "v=v1", "g=meta.k8s.io"]
        )
        | NOISE,
        max_size=6,
    ).map("".join),
    max_size=3,
)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "labelSelector": SELECTORS,
        "fieldSelector": SELECTORS | st.just("metadata.name=it"),
        "limit": st.sampled_from(["1", "0", "-1", "x", "9" * 30]),
        "continue": NOISE | st.binary(max_size=12).map(bytes.hex),
        "resourceVersion": st.sampled_from(["", "0", "1", "999", "x", "-1", "9" * 30]),
        "resourceVersionMatch": st.sampled_from(["Exact", "NotOlderThan", "x", ""]),
        "pretty": NOISE,
    },
)


@settings(max_examples=80)
@given(st.sampled_from(KINDS), OPTIONS, HEADERS)
def test_lists_with_odd_options_and_headers(
    kind: str, options: dict[str, str], headers: dict[str, str]
) -> None:
    only = {name: text for name, text in headers.items() if not refused_in_protobuf(name, text)}
    query = urlencode(options)
    run(
        [
            made(kind),
            Request("GET", path(kind), query, only),
            Request("GET", path(kind, "it"), query, only),
            Request("DELETE", path(kind), query, only),
        ]
    )


def refused_in_protobuf(name: str, text: str) -> bool:
    """Whether an error would be answered in a form that `run` does not read."""
    return name == "accept" and MEDIA_TYPE in text
