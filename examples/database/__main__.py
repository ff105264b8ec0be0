"""`python -m database --kubeconfig FILE` runs the operator; `--print` prints its kind."""

import sys

from argosy.runtime.running import run

from .plan import DATABASES

sys.exit(run(DATABASES))
