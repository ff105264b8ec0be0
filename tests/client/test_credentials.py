"""Credentials that change: a token's file, and plugins as kubectl has them."""

import json
from pathlib import Path
from typing import Any

import pytest

from argosy.client.credentials import Asked, Credentials, CredentialsError, Fixed, Plugin, TokenFile
from argosy.testing.clock import FakeClock

VERSION = "client.authentication.k8s.io/v1"


async def test_what_is_fixed_is_not_asked_for_again() -> None:
    fixed = Fixed(Credentials("t"))
    assert await fixed.get() == Credentials("t")
    assert not fixed.refuse(await fixed.get())


async def test_a_token_file_is_read_again_after_a_minute(tmp_path: Path) -> None:
    file, clock = tmp_path / "token", FakeClock()
    file.write_text("one\n")
    source = TokenFile(file, clock)
    assert (await source.get()).token == "one"
    file.write_text("two")
    await clock.advance(59)
    assert (await source.get()).token == "one"
    await clock.advance(1)
    assert (await source.get()).token == "two"


async def test_a_token_whose_file_is_away_holds_until_it_is_refused(tmp_path: Path) -> None:
    file, clock = tmp_path / "token", FakeClock()
    file.write_text("one")
    source = TokenFile(file, clock)
    given = await source.get()
    file.unlink()
    await clock.advance(60)
    assert await source.get() is given
    file.write_text("two")
    assert (await source.get()).token == "two"  # it is looked for again each time
    file.unlink()
    source.refuse(await source.get())
    with pytest.raises(CredentialsError, match="reading the token"):
        await source.get()


async def test_a_refused_token_is_read_again_at_once(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("one")
    source = TokenFile(file, FakeClock())
    given = await source.get()
    file.write_text("two")
    assert source.refuse(given)
    new = await source.get()
    assert new.token == "two"
    source.refuse(given)  # that one is known: two requests were refused at once
    assert await source.get() is new


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
async def test_a_token_that_is_not_there(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CredentialsError, match="reading the token"):
        await TokenFile(file, FakeClock()).get()


def plugin(folder: Path, answer: object, *, code: int = 0, **more: Any) -> Plugin:
    """A plugin that notes what it is told, and gives this answer."""
    script = folder / "plugin"
    told = json.dumps(answer) if not isinstance(answer, str) else answer
    script.write_text(
        f'#!/bin/sh\nprintf \'%s\\n\' "$KUBERNETES_EXEC_INFO" "$1" "$EXTRA" >> {folder}/told\n'
        f"cat <<'END'\n{told}\nEND\nexit {code}\n"
    )
    script.chmod(0o700)
    return Plugin(command=str(script), args=("login",), env={"EXTRA": "e"}, **more)


def credential(**status: str) -> dict[str, Any]:
    return {"apiVersion": VERSION, "kind": "ExecCredential", "status": status}


async def test_a_plugin_is_asked_until_it_expires(tmp_path: Path) -> None:
    clock = FakeClock()
    until = "2026-01-01T00:10:00Z"
    asked = Asked(plugin(tmp_path, credential(token="t", expirationTimestamp=until)), clock)
    assert await asked.get() == Credentials("t")
    assert await asked.get() == Credentials("t")
    info, word, extra = (tmp_path / "told").read_text().splitlines()
    assert json.loads(info) == {
        "apiVersion": VERSION,
        "kind": "ExecCredential",
        "spec": {"interactive": False},
    }
    assert (word, extra) == ("login", "e")
    await clock.advance(600)
    await asked.get()
    assert len((tmp_path / "told").read_text().splitlines()) == 6
    assert asked.refuse(await asked.get())
    await asked.get()
    assert len((tmp_path / "told").read_text().splitlines()) == 9 + 3  # it has expired, too


async def test_a_plugin_may_give_a_certificate_and_learn_of_the_cluster(tmp_path: Path) -> None:
    pair = credential(clientCertificateData="cert", clientKeyData="key")
    asked = Asked(plugin(tmp_path, pair, cluster={"server": "https://here"}), FakeClock())
    assert await asked.get() == Credentials(pair=b"cert\nkey")
    info = json.loads((tmp_path / "told").read_text().splitlines()[0])
    assert info["spec"]["cluster"] == {"server": "https://here"}


@pytest.mark.parametrize(
    "answer, code, message",
    [
        ("no JSON", 0, "exec: decoding stdout"),
        ({"apiVersion": VERSION, "kind": "ExecCredential"}, 0, "didn't return a status field"),
        (credential(), 0, "didn't return a token or cert/key pair"),
        (credential(clientKeyData="k"), 0, "returned only certificate or key, not both"),
        (credential(token="t", expirationTimestamp="soon"), 0, "exec: decoding stdout"),
        ({**credential(token="t"), "apiVersion": "v9"}, 0, "plugin returned version v9"),
        (credential(token="t"), 3, "failed with exit code 3"),
    ],
)
async def test_plugins_that_fail(tmp_path: Path, answer: object, code: int, message: str) -> None:
    with pytest.raises(CredentialsError, match=message):
        await Asked(plugin(tmp_path, answer, code=code), FakeClock()).get()


async def test_a_plugin_that_is_not_installed() -> None:
    missing = Plugin(command="/nowhere/plugin", install_hint="install it so")
    with pytest.raises(CredentialsError, match="No such file or directory\ninstall it so"):
        await Asked(missing, FakeClock()).get()
