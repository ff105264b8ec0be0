"""How fast the API is: `python bench/api.py [-o json] [--runs N] [--seconds S]`, see `apitable`."""

import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
runpy.run_module("bench.apitable", run_name="__main__")
