"""The interpreter, set for a process that holds very many objects for long.

Nearly everything here goes when its last reference does. Left as it is, the collector walks all
objects of the cluster again and again, looking for cycles that aren't there: a seventh of the time
of a create, and pauses of a tenth of a second with 50,000 objects.
"""

import gc
import sys
from typing import Final

YOUNG = 20_000
"""Objects that are made (less those that are gone) before the youngest are looked at."""
MIDDLE = 10
OLD = 1_000
HANDOVER: Final = 0.0005
"""Seconds after which a thread that computes lets another go on. The thread that commits needs the
interpreter twice for a moment: by Python's default a busy event loop lets it wait 5 ms each time.
"""


def settle() -> None:
    """What is there by now stays; of what comes, mostly the young is looked at."""
    sys.setswitchinterval(HANDOVER)
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
