"""Whatever is asked: an answer, a `Status` where it is an error, never a fault of the server's.

Requests are made up from what matters to the server (its paths, methods, options, media types, the
fields of its kinds) and from noise. Each example begins with a fresh server and asks it several
things, so that later requests meet what earlier ones left.
"""

import asyncio
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api import builtin, kserve, modelversion, trainer
from argosy.api.schema import Schema
from argosy.api.structs import schema_of
from argosy.http.message import Request
from tests.apiserver.kit import (
    APPLY,
    BODIES,
    JSON,
    MERGE,
    RESOURCES,
    STRATEGIC,
    TABLE,
    YAML,
    answered,
    path,
    serving,
)

DEFINITIONS = builtin.load("1.37")
OWN = (
    trainer.ClusterTrainingRuntime,
    trainer.TrainingRuntime,
    trainer.TrainJob,
    kserve.InferenceService,
    modelversion.ModelVersion,
)
SCHEMAS = {kind.resource.kind: schema_of(kind, DEFINITIONS) for kind in OWN} | {
    kind: DEFINITIONS(resource.definition)
    for kind, resource in RESOURCES.items()
    if resource.definition
}
NAMES = st.sampled_from(["it", "a", "default", "kube-system"])
NOISE = st.text(alphabet="aZ0-._/:=!,;()[]{}%+?#&*$\"'\\ \t\n\0ä٣\u2028😀", max_size=8)
SEGMENTS = st.sampled_from(
    ["api", "apis", "v1", "namespaces", "default", "pods", "it", "status", "log", "..", "", "%2e"]
)
METHODS = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "X"])
MEDIA = st.sampled_from([JSON, YAML, MERGE, STRATEGIC, APPLY, "text/plain", ""])
ACCEPT = st.sampled_from([JSON, TABLE, "*/*", "text/html", ";;,"])
SUBRESOURCES = st.sampled_from(["", "", "", "status", "binding", "log", "scale"])
OPTIONS = st.dictionaries(
    st.sampled_from(
        [
            "watch",
            "resourceVersion",
            "labelSelector",
            "fieldSelector",
            "dryRun",
            "force",
            "fieldManager",
            "fieldValidation",
            "gracePeriodSeconds",
            "propagationPolicy",
            "timeoutSeconds",
            "sendInitialEvents",
            "limit",
            "continue",
            "container",
            "includeObject",
        ]
    ),
    st.sampled_from(
        ["", "0", "1", "-1", "true", "All", "me", "Strict", "a=b", "metadata.name=it", "9" * 5000]
    )
    | NOISE,
    max_size=3,
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | NOISE
    | st.sampled_from(["it", "1Gi", "-1", "2026-01-01T00:00:00Z", "None", "node", "a" * 300])
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NOISE, inner, max_size=2),
    max_leaves=4,
)


def paths() -> st.SearchStrategy[str]:
    likely = st.builds(
        lambda kind, name, below, space: path(kind, name, below if name else "", namespace=space),
        st.sampled_from(sorted(RESOURCES)),
        st.just("") | NAMES,
        SUBRESOURCES,
        NAMES,
    )
    noise = st.lists(SEGMENTS | NOISE.map(quote), max_size=8).map(
        lambda parts: "/" + "/".join(parts)
    )
    return st.one_of(likely, likely, noise)


@st.composite
def mangled(draw: st.DrawFn, value: Any) -> Any:
    """`value` with something somewhere in it left out, or replaced by anything."""
    if draw(st.integers(0, 6)) == 0:
        return draw(ANYTHING)
    if isinstance(value, dict):
        kept = {key: draw(mangled(item)) for key, item in value.items() if draw(st.integers(0, 9))}
        return kept | draw(st.just({}) | st.dictionaries(NOISE, ANYTHING, max_size=1))
    if isinstance(value, list):
        return [draw(mangled(item)) for item in value]
    return value


def bodies() -> st.SearchStrategy[bytes]:
    objects = st.sampled_from(sorted(BODIES)).flatmap(
        lambda kind: mangled({"metadata": {"name": "it", "labels": {"a": "b"}}, **BODIES[kind]})
    )
    binding = mangled({"metadata": {"name": "it"}, "target": {"name": "here"}})
    options = mangled({"gracePeriodSeconds": 5, "preconditions": {"uid": "u"}, "dryRun": ["All"]})
    encoded = (objects | objects | binding | options | ANYTHING).map(
        lambda value: json.dumps(value).encode()
    )
    return encoded | st.binary(max_size=20) | st.just(b"")


def requests() -> st.SearchStrategy[Request]:
    return st.builds(
        lambda method, where, query, media, accept, body: Request(
            method, where, urlencode(query), {"content-type": media, "accept": accept}, body
        ),
        METHODS,
        paths(),
        OPTIONS,
        MEDIA,
        ACCEPT,
        bodies(),
    )


def run(asked: Sequence[Request]) -> None:
    async def main() -> None:
        async with serving() as api:
            token = f"Bearer {api.cluster.plane.token}"
            for request in asked:
                headers = {**request.headers, "authorization": token}
                whole = Request(request.method, request.path, request.query, headers, request.body)
                answer = await answered(api.cluster.plane.server.handle, whole)
                assert answer.status != 500, whole
                assert 200 <= answer.status < 505

    asyncio.run(main())


@settings(max_examples=30)
@given(st.lists(requests(), min_size=1, max_size=5))
def test_any_request_is_answered(asked: list[Request]) -> None:
    run(asked)


@settings(max_examples=60)
@given(st.data())
def test_any_object_of_a_kind_is_taken_or_refused(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(BODIES)))
    sent = data.draw(mangled({"metadata": {"name": "it", "finalizers": ["a.b/c"]}, **BODIES[kind]}))
    body = json.dumps(sent).encode()
    where = path(kind, "it")
    changes = data.draw(st.sampled_from([JSON, MERGE, STRATEGIC]))
    changed = json.dumps(data.draw(mangled(sent))).encode()
    run(
        [
            Request("POST", path(kind), "", {"content-type": JSON}, body),
            Request("PATCH", where, "fieldManager=me&force=1", {"content-type": APPLY}, body),
            Request(
                "PUT" if changes == JSON else "PATCH", where, "", {"content-type": changes}, changed
            ),
            Request("PATCH", f"{where}/status", "", {"content-type": MERGE}, changed),
            Request("GET", path(kind), "", {"accept": TABLE}),
            Request("DELETE", where),
            Request("GET", where, "", {"accept": TABLE}),
        ]
    )


def of(schema: Schema, depth: int = 6) -> st.SearchStrategy[Any]:
    """Values that mostly have the shape of `schema`, down to `depth` levels."""
    plain: dict[str, st.SearchStrategy[Any]] = {
        "string": st.sampled_from(["", "it", "a" * 70, "2026-01-01T00:00:00Z", "aGk="]),
        "integer": st.sampled_from([0, 1, -1, 70000, 2**31, 2**62]),
        "number": st.sampled_from([0, 1.5, -2]),
        "boolean": st.booleans(),
        "quantity": st.sampled_from(["1", "1Gi", "-5", "1e9", 3, "500m"]),
        "int-or-string": st.sampled_from([80, "http", -1]),
        "any": ANYTHING,
    }
    if schema.type == "array":
        return st.lists(of(schema.items, depth - 1), max_size=2) if schema.items else st.just([])
    if schema.type != "object":
        return plain[schema.type] if depth else st.none()
    if schema.values is not None:
        inner = of(schema.values, depth - 1)
        return st.dictionaries(st.sampled_from(["cpu", "a/b", ""]), inner, max_size=1)
    return st.deferred(lambda: _record(schema, depth))


@st.composite
def _record(draw: st.DrawFn, schema: Schema, depth: int) -> Any:
    names = sorted(schema.properties.keys() - {"managedFields", "status"})
    if not names or depth <= 0:
        return {}
    chosen = set(draw(st.lists(st.sampled_from(names), max_size=4))) | schema.required
    return {name: draw(of(schema.properties[name], depth - 1)) for name in sorted(chosen)}


@settings(max_examples=40)
@given(st.data())
def test_what_has_the_shape_of_a_kind_is_taken_or_refused(data: st.DataObject) -> None:
    """Reaches the rules behind the structure, and the fields that no example has."""
    kind = data.draw(st.sampled_from(sorted(BODIES)))
    sent = data.draw(of(SCHEMAS[kind]))
    obj = {**sent, "metadata": {"name": "it"}}
    obj = {name: value for name, value in obj.items() if name not in ("apiVersion", "kind")}
    body = json.dumps(obj).encode()
    run(
        [
            Request("POST", path(kind), "", {"content-type": JSON}, body),
            Request("PATCH", path(kind, "it"), "fieldManager=me", {"content-type": APPLY}, body),
            Request("GET", path(kind), "", {"accept": TABLE}),
        ]
    )
