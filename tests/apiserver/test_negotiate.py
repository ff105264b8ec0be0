"""What a body is, and what an answer shall be."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.apiserver.accept import JSON, YAML
from argosy.apiserver.negotiate import (
    APPLY,
    OBJECTS,
    answer,
    answer_error,
    body_value,
    media_type,
    warning_header,
    whole_object,
)
from argosy.base.errors import StatusError, service_unavailable
from argosy.http.message import Request

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"

WORDS = st.text(alphabet='aZ0 "\\/\n\0ä٣\u2028😀', max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=10,
)
objects = st.dictionaries(WORDS, values, max_size=3)


def sent(body: bytes, kind: str = JSON) -> Request:
    return Request("POST", "/", headers={"content-type": kind}, body=body)


def body_object(request: Request) -> dict[str, Any]:
    return whole_object(body_value(request, OBJECTS))


@given(objects)
def test_json_is_read_as_it_is(obj: dict[str, Any]) -> None:
    for ascii_only in (True, False):
        body = json.dumps(obj, ensure_ascii=ascii_only).encode()
        assert body_object(sent(body)) == obj


@given(st.binary(max_size=64), st.sampled_from([JSON, YAML]))
def test_any_bytes_are_an_object_or_an_error(body: bytes, kind: str) -> None:
    try:
        found = body_object(sent(body, kind))
    except StatusError as error:
        assert error.code == 400
        assert error.message
    else:
        json.dumps(found)  # raises where JSON can't say it


@given(st.text(alphabet="abc:-[]{}&*!?#|>%@` \n\"'01.", max_size=40))
def test_any_yaml_is_an_object_or_an_error(text: str) -> None:
    try:
        found = body_object(sent(text.encode(), YAML))
    except StatusError as error:
        assert error.code == 400
    else:
        assert json.loads(json.dumps(found)) == found


def test_aliases_are_refused_before_they_grow() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 6)]

    with pytest.raises(StatusError, match="aliases"):
        body_object(sent("\n".join(lines).encode(), YAML))


@pytest.mark.parametrize(
    "text", ["a: x & y * z", 'a: "&b *b"', "a: |\n  *x\n  &x\n", "a: &b 1\nc: '*'"]
)
def test_what_only_looks_like_an_alias_is_text(text: str) -> None:
    assert "a" in body_object(sent(text.encode(), YAML))


def test_times_in_yaml_stay_text() -> None:
    found = body_object(sent(b"a: 2026-11-21\nb: 2026-11-21T10:00:00Z", YAML))

    assert found == {"a": "2026-11-21", "b": "2026-11-21T10:00:00Z"}


@pytest.mark.parametrize(
    ("given_type", "found"),
    [
        ("application/json", JSON),
        ("Application/JSON;charset=utf-8", JSON),
        ("  application/yaml ; x=y", YAML),
        ("", JSON),
        (APPLY, APPLY),
    ],
)
def test_a_type_is_known_without_its_parameters(given_type: str, found: str) -> None:
    assert media_type(Request("POST", "/", headers={"content-type": given_type})) == found
    assert media_type(Request("POST", "/")) == JSON


@pytest.mark.parametrize("kind", ["text/plain", APPLY, "application/", "json"])
def test_a_type_that_is_not_allowed(kind: str) -> None:
    with pytest.raises(StatusError) as caught:
        body_object(sent(b"{}", kind))

    assert caught.value.code == 415
    assert JSON in caught.value.message


def test_warnings_are_quoted_and_stay_on_their_line() -> None:
    header = answer(b"", warnings=('a "b" \\c', "d\r\nx: e", "ä")).headers["warning"]

    assert header == r'299 - "a \"b\" \\c", 299 - "d  x: e", 299 - " "'


@pytest.mark.parametrize("text", ["x" * 5000, '"' * 5000, "\\" * 5000, "x" * 1023 + '"'])
def test_long_warnings_are_cut_between_characters(text: str) -> None:
    header = answer(b"", warnings=(text,)).headers["warning"]
    quoted = header.removeprefix('299 - "').removesuffix('"')

    assert len(header) < 4096
    assert text.startswith(quoted.replace('\\"', '"').replace("\\\\", "\\"))


@pytest.mark.parametrize(
    ("texts", "lengths"),
    [
        (["a", "b", "a", "", "b"], [1, 1]),
        (["x" * 4096], [4096]),
        (["x" * 4097], [256]),
        (["x" * 4000, "y" * 96], [4000, 96]),
        (["x" * 4000, "y" * 97], [256, 97]),
        ([f"{i:0300}" for i in range(100)], [256] * 16),
    ],
)
def test_warnings_are_given_once_and_bounded(texts: list[str], lengths: list[int]) -> None:
    parts = warning_header(texts).removeprefix('299 - "').removesuffix('"').split('", 299 - "')

    assert list(map(len, parts)) == lengths


def test_an_error_says_when_to_come_back() -> None:
    response = answer_error(service_unavailable("not now", retry_after=7))

    assert response.status == 503
    assert response.headers["retry-after"] == "7"
