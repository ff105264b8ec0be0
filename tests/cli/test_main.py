"""The command line as a whole."""

import pytest
from typer.testing import CliRunner

from argosy import __version__
from argosy.cli.main import app, main


def test_the_version_is_data() -> None:
    result = CliRunner().invoke(app, ["version"])

    assert (result.exit_code, result.stdout, result.stderr) == (0, f"{__version__}\n", "")


@pytest.mark.parametrize("arguments", [["--help"], ["up", "--help"]])
def test_help_is_asked_for(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, arguments)

    assert result.exit_code == 0
    assert "up" in result.stdout


def test_options_are_a_promise() -> None:
    shown = CliRunner().invoke(app, ["up", "--help"], env={"COLUMNS": "200"}).stdout

    for option in ("--data-dir", "--port", "--listen", "--simulate-gpus"):
        assert option in shown


def test_an_unknown_command_is_refused() -> None:
    assert CliRunner().invoke(app, ["down"]).exit_code == 2


def test_main_ends(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["argosy", "version"])
    with pytest.raises(SystemExit) as caught:
        main()

    assert caught.value.code == 0
    assert capsys.readouterr().out == f"{__version__}\n"
