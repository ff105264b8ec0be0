"""How fast pods are scheduled: `python bench/scheduler.py [--case …] [-o json]`, see
`schedulertable`."""

import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
runpy.run_module("bench.schedulertable", run_name="__main__")
