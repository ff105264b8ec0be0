"""The process: it refuses a wrong model before it listens, serves a right one, and ends cleanly."""

import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy.serving.server.__main__ import LIMITS, MISMATCH, main

DEADLINE = 20.0


def _arguments(path: Path, *more: str) -> list[str]:
    digest = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    return ["--name", "digits", "--model", str(path), "--digest", digest, "--port", "0", *more]


@pytest.fixture
def url(digits_path: Path) -> Iterator[str]:
    """A server process; SIGTERM at the end must end it with 0."""
    process = subprocess.Popen(
        [sys.executable, "-m", "argosy.serving.server", *_arguments(digits_path)],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    ready = re.search(r"http://\S+", process.stderr.readline())
    assert ready
    yield ready[0]
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=DEADLINE)[1] == ""
    assert process.returncode == 0


def test_it_serves_over_http(url: str) -> None:
    tensor = {"name": "images", "datatype": "FP32", "shape": [1, 64], "data": [0] * 64}
    body = json.dumps({"inputs": [tensor]}).encode()
    with urllib.request.urlopen(f"{url}/models/digits/infer", body, DEADLINE) as response:
        assert json.load(response)["outputs"][0]["shape"] == [1]
    # A body over the limit is refused at its announcement, in the protocol's words.
    request = urllib.request.Request(f"{url}/models/digits/infer", b"{}")
    request.add_header("content-length", str(LIMITS.body_bytes + 1))
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=DEADLINE)
    with caught.value as refusal:
        assert refusal.status == 413
        assert "larger than" in json.load(refusal)["error"]


def test_another_model_is_refused(
    digits_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corrupted = tmp_path / "model.onnx"
    content = digits_path.read_bytes()
    corrupted.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    log = tmp_path / "log"
    # The port is taken, so a server that served this model would fail instead of running on.
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        arguments = _arguments(digits_path, "--model", str(corrupted), "--port", port)
        assert main([*arguments, "--termination-log", str(log)]) == MISMATCH == 3
    told = capsys.readouterr().err
    assert told == f"{log.read_text()}\n"
    assert f"its digest is sha256:{hashlib.sha256(corrupted.read_bytes()).hexdigest()}" in told
    assert told.count("\n") == 1


def test_what_cannot_be_served_ends_with_1(
    digits_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    garbage, log = tmp_path / "garbage.onnx", tmp_path / "log"
    garbage.write_bytes(b"garbage")
    missing = _arguments(garbage, "--model", str(tmp_path / "none"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        occupied = _arguments(digits_path, "--port", str(taken.getsockname()[1]))
        for arguments, message in (
            (_arguments(garbage), "serving model 'digits': loading it: "),
            (missing, "No such file or directory"),
            (occupied, os.strerror(98).lower()),
        ):
            assert main([*arguments, "--termination-log", str(log)]) == 1
            assert message in log.read_text()
            assert capsys.readouterr().err == f"{log.read_text()}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--digest", "md5:0"], "is not sha256:"),
        (["--port", "65536"], "'65536' is no port"),
    ],
)
def test_a_wrong_option_is_refused(
    digits_path: Path,
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(_arguments(digits_path, *arguments))
    assert message in capsys.readouterr().err
