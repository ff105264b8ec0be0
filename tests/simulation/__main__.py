"""Play scenarios under many seeds: `python -m tests.simulation --seeds 1000 [--only NAME]`.

`--seed N --only NAME` plays one, with each commit told: what a failure names.
"""

import argparse
import gc
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from argosy.cluster.collecting import settle
from tests.simulation.engine import Outcome, run
from tests.simulation.scenarios.table import SCENARIOS


def main(given: Sequence[str]) -> int:
    """The exit status: 1 where a run failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="so many for each scenario")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--seed", type=int, help="this one only, and tell each commit")
    parser.add_argument("--only", action="append", help="a scenario, or how its name begins")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    args = parser.parse_args(given)
    names = [name for name in SCENARIOS if _chosen(name, args.only)]
    if args.seed is not None:
        return max(_told(run(SCENARIOS[name], args.seed, trace=True)) for name in names)
    seeds = range(args.first, args.first + args.seeds)
    bad = 0
    with ProcessPoolExecutor(args.processes, initializer=settle) as pool:
        for name in names:
            began = time.perf_counter()
            outcomes = list(pool.map(_played, [name] * len(seeds), seeds, chunksize=4))
            failed = [outcome for outcome in outcomes if outcome.problem]
            for outcome in failed[:3]:
                _told(outcome)
            bad += len(failed)
            seconds = time.perf_counter() - began
            most = max(outcome.writes for outcome in outcomes)
            shown = ", ".join(f"seed={outcome.seed}" for outcome in failed[:20])
            print(
                f"{name:32} {len(outcomes) - len(failed):5} passed {len(failed):4} failed"
                f" {seconds:7.1f} s, at most {most} writes {shown}",
                flush=True,
            )
    return int(bad > 0)


def _chosen(name: str, only: Sequence[str] | None) -> bool:
    return only is None or any(name.startswith(item) for item in only)


def _played(name: str, seed: int) -> Outcome:
    outcome = run(SCENARIOS[name], seed)
    gc.collect()  # a world that has ended is all cycles, and `settle` leaves what is old alone
    return outcome


def _told(outcome: Outcome) -> int:
    print(f"{outcome.scenario} seed={outcome.seed}: {outcome.problem or 'passed'}")
    print(*outcome.history, sep="\n", flush=True)
    return int(bool(outcome.problem))


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of sets belongs to the seed.
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]])
    sys.exit(main(sys.argv[1:]))
