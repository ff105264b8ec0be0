"""Python's collector of cycles, set for a process that holds very many objects for long.

Nearly everything here goes when its last reference does. Left as it is, the collector walks all
objects of the cluster again and again, looking for cycles that aren't there: a seventh of the time
of a create, and pauses of a tenth of a second with 50,000 objects.
"""

import gc

YOUNG = 20_000
"""Objects that are made (less those that are gone) before the youngest are looked at."""
MIDDLE = 10
OLD = 1_000


def settle() -> None:
    """What is there by now stays; of what comes, mostly the young is looked at."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
