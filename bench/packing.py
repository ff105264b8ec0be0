"""How well GPUs are packed over the real API: `python bench/packing.py --nodes N.csv --pods P.csv
[--seed 42] [--share 100] [--until 130] [--learn] [-o json]`, see `packingtable`."""

import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
runpy.run_module("bench.packingtable", run_name="__main__")
