"""What a digest promises: the same content gives it again, any other content doesn't."""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.models.digest import Content, DigestError, content_of, digest_file, main

NAMES = st.text("ab.é \n", min_size=1, max_size=4).filter(lambda name: name not in (".", ".."))
TREES = st.dictionaries(NAMES, st.binary(max_size=9), max_size=4)


def _write(folder: Path, tree: dict[str, bytes]) -> Path:
    for name, content in tree.items():
        (folder / name).write_bytes(content)
    return folder


def test_a_file_has_the_digest_of_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"x" * 3_000_000)
    expected = hashlib.sha256(b"x" * 3_000_000).hexdigest()
    assert content_of(path) == Content(f"sha256:{expected}", 3_000_000)


def test_a_folder_has_the_documented_form(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c").write_bytes(b"one")
    (tmp_path / "b.txt").write_bytes(b"three")
    # In the order of the paths' bytes "b.txt" comes before "b/c".
    records = b"".join(
        hashlib.sha256(content).hexdigest().encode() + b" " + name + b"\0"
        for name, content in ((b"b.txt", b"three"), (b"b/c", b"one"))
    )
    assert content_of(tmp_path) == Content(f"sha256:{hashlib.sha256(records).hexdigest()}", 8)


@settings(max_examples=40)
@given(TREES, TREES)
def test_folders_are_equal_exactly_when_their_digests_are(
    one: dict[str, bytes], other: dict[str, bytes]
) -> None:
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        digests = {
            digest_file(_write(Path(first), one)),
            digest_file(_write(Path(second), dict(reversed(other.items())))),
        }
    assert (len(digests) == 1) == (one == other)


def test_a_link_inside_counts_as_its_file(tmp_path: Path) -> None:
    for name in ("linked", "copied"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_bytes(b"content")
    (tmp_path / "linked" / "b").symlink_to("a")
    (tmp_path / "copied" / "b").write_bytes(b"content")
    assert digest_file(tmp_path / "linked") == digest_file(tmp_path / "copied")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("../outside", "is a link that leaves the folder"),
        ("/etc/hostname", "is a link that leaves the folder"),
        ("nowhere", "is neither a file nor a folder"),
        ("folder", "is a link to a folder"),
    ],
)
def test_a_misleading_link_is_refused(tmp_path: Path, target: str, message: str) -> None:
    (tmp_path / "outside").write_bytes(b"")
    (tmp_path / "model" / "folder").mkdir(parents=True)
    (tmp_path / "model" / "link").symlink_to(target)
    with pytest.raises(DigestError, match=message):
        digest_file(tmp_path / "model")


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(DigestError, match="neither a file nor a folder"):
            digest_file(path)


def test_the_command_prints_and_logs_the_same(tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(b"m")
    log = tmp_path / "log"
    command = [sys.executable, "-m", "argosy.models.digest", str(tmp_path / "model")]
    done = subprocess.run(
        [*command, "--termination-log", str(log)], capture_output=True, check=True, text=True
    )
    expected = {"digest": f"sha256:{hashlib.sha256(b'm').hexdigest()}", "size": 1}
    assert json.loads(done.stdout) == expected == json.loads(log.read_text())


def test_the_command_fails_with_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log"
    assert main([str(tmp_path / "none"), "--termination-log", str(log)]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert "does not exist" in told.err
    assert log.read_text() == told.err.rstrip("\n")
