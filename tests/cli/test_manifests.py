"""Files of manifests, good and bad."""

import json
from pathlib import Path
from typing import Any

import pytest

from argosy.cli import manifests
from argosy.cli.manifests import ManifestError, read


def written(folder: Path, text: str) -> list[dict[str, Any]]:
    file = folder / "file.yaml"
    file.write_text(text)
    return read(str(file))


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("", []),
        ("---\n---\n", []),
        ("kind: A\n---\nkind: B\n", ["A", "B"]),
        ('{"kind": "A"}', ["A"]),
        ('{\n\t"kind": "A"\n}', ["A"]),
        ("kind: List\nitems: [{kind: A}, {kind: List, items: [{kind: B}]}]", ["A", "B"]),
        ("kind: PodList\nitems: [{metadata: {}}]", ["Pod"]),
        ("kind: A\nx: &x {a: 1}\ny: *x", ["A"]),
        ("kind: PriceList", ["PriceList"]),
    ],
)
def test_objects_are_read(tmp_path: Path, text: str, kinds: list[str]) -> None:
    assert [obj["kind"] for obj in written(tmp_path, text)] == kinds


def test_the_items_of_a_typed_list_get_its_kind(tmp_path: Path) -> None:
    text = "kind: PodList\napiVersion: v1\nitems: [{metadata: {name: a}}]"
    assert written(tmp_path, text) == [
        {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "a"}}
    ]


def test_days_are_text(tmp_path: Path) -> None:
    assert written(tmp_path, "kind: A\nday: 2026-11-21")[0]["day"] == "2026-11-21"


LAUGHS = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 10)}]\n" for n in range(12)
)


@pytest.mark.parametrize(
    "text",
    [
        "1",
        "kind: 1",
        "kind: List\nitems: [1]",
        "kind: List\nitems: [{kind: 5}]",
        "kind: A\na: !!python/object:os.system x",
        "kind: A\na: .nan",
        "kind: A\na: !!set {x}",
        "kind: A\na: &a [*a]",
        "kind: A\na: *b",
        "kind: A\n" + LAUGHS,
        "[" * 10_000,
        json.dumps({"kind": "A"})[:-1] + ', "a": ' + "[" * 300 + "]" * 300 + "}",
        "kind: A\n\x00",
    ],
)
def test_bad_input_is_said_to_be_bad(tmp_path: Path, text: str) -> None:
    with pytest.raises(ManifestError):
        written(tmp_path, text)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"\xff\xfe\xfd")
    for name in (str(file), str(tmp_path), str(tmp_path / "none")):
        with pytest.raises(ManifestError):
            read(name)


def test_a_file_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifests, "MOST_BYTES", 10)
    with pytest.raises(ManifestError, match="more than 10 bytes"):
        written(tmp_path, "kind: 'too much'")
