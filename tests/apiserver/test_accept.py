"""The Accept header, read as kube-apiserver reads it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.api.protobuf.codec import MEDIA_TYPE
from argosy.apiserver.accept import EVERY, JSON, PROTOBUF, YAML, Choice, chosen

TABLE = ";as=Table;g=meta.k8s.io;v=v1"
PARTIAL = ";as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


def test_the_codec_and_the_door_mean_the_same() -> None:
    assert PROTOBUF == MEDIA_TYPE


@pytest.mark.parametrize(
    ("accept", "choice"),
    [
        ("", Choice(JSON)),
        ("*/*", Choice(JSON)),
        ("*", Choice(JSON)),
        ("application/*", Choice(JSON)),
        (YAML, Choice(YAML)),
        (PROTOBUF, Choice(PROTOBUF)),
        ("text/html", None),
        ("text/*", None),
        (";;,", None),
        ("application/json/x", None),
        ("application", None),
        ("*/json", None),
        (f"text/html,{YAML}", Choice(YAML)),
        (f"{YAML},{JSON}", Choice(YAML)),
        (f"*/*,{YAML}", Choice(YAML)),
        (f"application/*,{YAML}", Choice(YAML)),
        (f"{YAML};q=0.1,{JSON};q=0.9", Choice(JSON)),
        (f"{YAML};q=x,{JSON};q=0.9", Choice(JSON)),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Choice(JSON)),
        (f"{JSON};charset=utf-8", Choice(JSON)),
        (f"{JSON};stream=watch", Choice(JSON)),
        (f"{JSON};stream=log", None),
        (f"{YAML};stream=watch", None),
        (f"{JSON};sv=v1", Choice(JSON)),
        (f"{JSON};sv=v2", None),
        (f"{JSON}{TABLE}", Choice(JSON, "Table", "v1")),
        (f"{JSON}; as=Table; g=meta.k8s.io; v=v1beta1", Choice(JSON, "Table", "v1beta1")),
        (f"*/*{TABLE}", Choice(JSON, "Table", "v1")),
        (f"{YAML}{TABLE}", Choice(YAML, "Table", "v1")),
        (f"{PROTOBUF}{TABLE}", None),
        (f"{PROTOBUF}{TABLE},{JSON}", Choice(JSON)),
        (f"{PROTOBUF}{PARTIAL},{JSON}", Choice(PROTOBUF, "PartialObjectMetadata", "v1")),
        (f"{JSON};as=Table", None),
        (f"{JSON};as=Table;g=meta.k8s.io;v=v2", None),
        (f"{JSON};as=Table;g=other;v=v1", None),
        (f"{JSON};as=Chair;g=meta.k8s.io;v=v1,{YAML}", Choice(YAML)),
        (f"{JSON};g=meta.k8s.io;v=v1", None),
    ],
)
def test_the_first_that_can_be_had(accept: str, choice: Choice | None) -> None:
    assert chosen(accept) == choice


def test_custom_kinds_have_no_protobuf_but_their_metadata_has() -> None:
    own = (JSON, YAML)
    assert chosen(PROTOBUF, own) is None
    assert chosen(f"{PROTOBUF},{YAML}", own) == Choice(YAML)
    assert chosen(f"{PROTOBUF}{PARTIAL}", own) == Choice(PROTOBUF, "PartialObjectMetadata", "v1")


def test_errors_are_never_turned() -> None:
    assert chosen(f"{JSON}{TABLE}", EVERY, False) is None
    assert chosen(f"{JSON}{TABLE},{YAML}", EVERY, False) == Choice(YAML)


@pytest.mark.parametrize("noise", ["a/b,", "a/b;c=d,", "a/b" + ";c=d" * 2000 + ","])
def test_what_stands_behind_a_flood_is_not_read(noise: str) -> None:
    assert chosen(noise + YAML) == (Choice(YAML) if len(noise) < 4096 else None)
    assert chosen(noise * 10_000 + YAML) is None


@given(st.text(alphabet="*/;,=q01.asgv jon\x00é", max_size=300))
def test_any_header_is_read(accept: str) -> None:
    choice = chosen(accept)
    assert choice is None or choice.media in EVERY
