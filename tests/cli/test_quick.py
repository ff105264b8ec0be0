"""Options that are read without Typer's help: the same values, the same words."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from argosy.cli.quick import QuickCommand


def made(**command: Any) -> tuple[typer.Typer, list[tuple[Any, ...]]]:
    app, seen = typer.Typer(add_completion=False), list[tuple[Any, ...]]()

    @app.command(**command)
    def run(
        folder: Path | None = None,
        port: Annotated[int, typer.Option(min=0, max=65535)] = 7,
        listen: Annotated[list[str] | None, typer.Option()] = None,
        name: str = "one",
        present: Annotated[Path | None, typer.Option(exists=True)] = None,
        fair: bool = True,
    ) -> None:
        seen.append((folder, port, listen or None, name, present, fair))

    return app, seen


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--port", "0"],
        ["--port", "65536"],
        ["--port", "-1"],
        ["--port", "http"],
        ["--port", "٣"],
        ["--port", " 8 "],
        ["--port", "1_0"],
        ["--port", "007"],
        ["--folder", "/a/b", "--name", "two", "--no-fair"],
        ["--folder", ""],
        ["--name", ""],
        ["--listen", "a", "--listen", "b"],
        ["--present", "/not/there"],
        ["--present", "/"],
        ["--unheard"],
    ],
)
def test_values_and_words_are_those_of_typer(arguments: list[str]) -> None:
    (quick, got), (plain, wanted) = made(cls=QuickCommand), made()
    answer = CliRunner().invoke(quick, arguments)
    expected = CliRunner().invoke(plain, arguments)

    assert got == wanted
    assert (answer.exit_code, answer.output) == (expected.exit_code, expected.output)


def test_the_server_starts_without_pydantic(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from argosy.cli.main import app\n"
        f"said = CliRunner().invoke(app, ['up', '--data-dir', {str(tmp_path)!r}, '--port', '0',"
        " '--log-level', 'loud'])\n"
        "assert said.exit_code == 1\n"
        "slow = {'pydantic', 'cel_expr_python', 'google.protobuf', 'numpy', 'aiohttp', 'grpc'}\n"
        "print(sorted(slow & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)

    assert done.stdout == "[]\n"
