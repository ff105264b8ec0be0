"""A webhook gets whole lists of events; what it refuses for now is tried again, and then lost."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy.apiserver.audit.webhook import FACTOR, FIRST_PAUSE_SECONDS, TRIES, Posted
from argosy.apiserver.audit.writer import Writer
from argosy.apiserver.remotes import read

Json = dict[str, Any]


def _answer(handler: BaseHTTPRequestHandler) -> None:
    hook = handler.server
    assert isinstance(hook, Hook)
    sent = json.loads(handler.rfile.read(int(handler.headers["content-length"])))
    hook.got.append((handler.path, handler.headers.get("authorization"), sent))
    handler.send_response(hook.codes.pop(0) if hook.codes else 200)
    handler.send_header("content-length", "0")
    handler.end_headers()


def _silent(_handler: BaseHTTPRequestHandler, _format: str, *_args: object) -> None:
    return None


HANDLER = type("Handler", (BaseHTTPRequestHandler,), {"do_POST": _answer, "log_message": _silent})


class Hook(HTTPServer):
    """Answers with the next of `codes`, and then with 200."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), HANDLER)
        self.codes: list[int] = []
        self.got: list[tuple[str, str | None, Json]] = []


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def config(cluster: Json, user: Json | None = None) -> Json:
    return {
        "current-context": "it",
        "contexts": [{"name": "it", "context": {"cluster": "c", "user": "u" if user else ""}}],
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
    }


def posted(
    folder: Path, hook: Hook, user: Json | None = None, *, path: str = "/audit?a=b"
) -> tuple[Posted, list[float]]:
    """An output, and the pauses that it makes."""
    file = folder / "webhook.yaml"
    server = f"http://127.0.0.1:{hook.server_port}{path}"
    file.write_text(yaml.safe_dump(config({"server": server}, user)))
    pauses: list[float] = []

    def pause(seconds: float) -> bool:
        pauses.append(seconds)
        return False

    return Posted(read(file, "audit webhook"), pause), pauses


def test_lines_arrive_as_one_list(tmp_path: Path, hook: Hook) -> None:
    output, pauses = posted(tmp_path, hook, {"token": "secret"})
    output.write(b'{"kind":"Event","stage":"a"}\n{"kind":"Event","stage":"b"}\n')
    ((path, authorization, sent),) = hook.got
    assert (path, authorization, pauses) == ("/audit?a=b", "Bearer secret", [])
    assert (sent["kind"], sent["apiVersion"]) == ("EventList", "audit.k8s.io/v1")
    assert [item["stage"] for item in sent["items"]] == ["a", "b"]


def test_a_refusal_for_now_is_tried_again_more_slowly(tmp_path: Path, hook: Hook) -> None:
    output, pauses = posted(tmp_path, hook)
    hook.codes = [500, 429, 503]
    output.write(b"{}\n")
    assert pauses == [FIRST_PAUSE_SECONDS * FACTOR**i for i in range(3)]
    assert len(hook.got) == 4


@pytest.mark.parametrize(("codes", "tries"), [([500] * TRIES, TRIES), ([403], 1)])
def test_what_is_refused_for_good_is_lost(
    tmp_path: Path, hook: Hook, codes: list[int], tries: int
) -> None:
    output, _ = posted(tmp_path, hook)
    hook.codes = list(codes)
    with pytest.raises(OSError, match=f"the webhook answered {codes[-1]}"):
        output.write(b"{}\n")
    assert len(hook.got) == tries
    output.close()


def test_a_webhook_that_is_not_there_is_tried_again(tmp_path: Path, hook: Hook) -> None:
    output, pauses = posted(tmp_path, hook)
    hook.server_close()
    with pytest.raises(OSError, match="reaching the webhook"):
        output.write(b"{}\n")
    assert len(pauses) == TRIES - 1


def test_the_end_of_the_server_ends_all_patience(tmp_path: Path, hook: Hook) -> None:
    hook.codes = [500] * TRIES
    remote = posted(tmp_path, hook)[0]._remote
    closing = threading.Event()
    writer = Writer(Posted(remote, closing.wait), gather=60, closing=closing)
    writer.put(b"{}\n")
    writer.close()
    assert writer.lost == 1 and len(hook.got) == 1


@pytest.mark.parametrize(
    ("user", "header"),
    [
        ({"tokenFile": "token"}, "Bearer from-file"),
        (
            {"username": "a", "password": "b"},
            f"Basic {base64.b64encode(b'a:b').decode()}",
        ),
        (None, None),
    ],
)
def test_who_sends_shows_who_they_are(
    tmp_path: Path, hook: Hook, user: Json | None, header: str | None
) -> None:
    (tmp_path / "token").write_text("from-file\n")
    output, _ = posted(tmp_path, hook, user, path="")
    output.write(b"{}\n")
    assert hook.got[0][:2] == ("/", header)
