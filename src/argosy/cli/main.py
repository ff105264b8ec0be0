"""`argosy`: the list of its commands, and how errors leave."""

import sys
from typing import NoReturn

import typer

from argosy import __version__
from argosy.cli import check, simulate
from argosy.cli.backup import backup
from argosy.cli.defrag import defrag
from argosy.cli.explain import explain
from argosy.cli.install import install
from argosy.cli.operators import operators
from argosy.cli.quick import QuickCommand, QuickGroup
from argosy.cli.restore import restore
from argosy.cli.uninstall import uninstall
from argosy.cli.up import up
from argosy.cli.who_can import who_can

app = typer.Typer(
    name="argosy",
    cls=QuickGroup,
    help="An AI-native Kubernetes in one Python package.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its tables cut long flags short
)
app.command(cls=QuickCommand)(up)
app.command()(backup)
app.command()(restore)
app.command()(who_can)
app.command()(explain)
app.command()(defrag)
app.command()(operators)
app.command()(install)
app.command()(uninstall)
app.add_typer(check.app, name="check")
app.add_typer(simulate.app, name="simulate")


@app.command()
def version() -> None:
    """Print the version."""
    sys.stdout.write(f"{__version__}\n")


def main() -> NoReturn:
    """Run the command line; never returns."""
    app()
    raise SystemExit(0)
