"""How the demo shows what happens: a line a step, a progress bar, a table."""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table


class Show:
    """Writes to standard output; readable without colour and without a terminal."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        self._began = time.monotonic()

    def step(self, text: str) -> None:
        """Something happened."""
        elapsed = time.monotonic() - self._began
        self._console.print(f"[dim]{elapsed:5.1f} s[/dim]  {text}", soft_wrap=True)

    def detail(self, text: str) -> None:
        """More on the last step, as it is."""
        for line in text.splitlines():
            self._console.print(f"         {line}", markup=False, soft_wrap=True)

    def failed(self, text: str, hint: str) -> None:
        """The end, and not a good one."""
        error = Console(stderr=True, highlight=False)
        error.print(f"error: {text}", markup=False, soft_wrap=True)
        error.print(f"hint: {hint}", markup=False, soft_wrap=True)

    @contextmanager
    def training(self, title: str, steps: int) -> Generator[Callable[[int], None], None, None]:
        """A progress bar; call what it yields with the step reached."""
        columns = (TextColumn("         {task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=self._console) as progress:
            task = progress.add_task(title, total=steps)
            yield lambda step: progress.update(task, completed=step)

    def table(self, title: str, rows: Sequence[tuple[str, str]]) -> None:
        """The figures."""
        table = Table(title=title, title_justify="left", show_header=False)
        table.add_column()
        table.add_column(justify="right")
        for row in rows:
            table.add_row(*row)
        self._console.print(table)
