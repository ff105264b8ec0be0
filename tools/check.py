"""Runs every check of the house, two at a time: `make check`.

One line a check with its seconds; a check that fails shows its whole output below. Each is a
command that works by hand as well, from the repository's root and with `.venv` active.
"""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Check:
    """A command that exits with zero where nothing is wrong."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a check ended, with what it printed."""

    check: Check
    passed: bool
    output: str
    seconds: float


PYTHON = sys.executable

CHECKS = (
    Check("types", (PYTHON, "-m", "mypy")),  # the longest first: the others run beside it
    Check("contracts", (str(Path(PYTHON).parent / "lint-imports"),)),
    Check("dead code", (PYTHON, "-m", "tools.check_dead")),
    Check("lint", (PYTHON, "-m", "ruff", "check")),
    Check("format", (PYTHON, "-m", "ruff", "format", "--check")),
    Check("size", (PYTHON, "-m", "tools.check_size")),
    Check("documents", (PYTHON, "-m", "tools.check_documents")),
)


def run(check: Check) -> Outcome:
    """Runs one check on this tree's sources, whichever argosy is installed."""
    began = time.perf_counter()
    done = subprocess.run(
        check.command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return Outcome(check, done.returncode == 0, done.stdout, time.perf_counter() - began)


def main() -> int:
    """Runs all checks; 1 where any failed."""
    failed = 0
    with ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 1)) as pool:
        for future in as_completed([pool.submit(run, check) for check in CHECKS]):
            outcome = future.result()
            failed += not outcome.passed
            verdict = "ok  " if outcome.passed else "FAIL"
            print(f"{verdict}  {outcome.check.name:<10}{outcome.seconds:6.1f} s", flush=True)
            if not outcome.passed:
                print(outcome.output.rstrip(), flush=True)
    print(f"{len(CHECKS) - failed} of {len(CHECKS)} checks passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
