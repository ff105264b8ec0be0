"""NodePorts: nodes on which the host ports that the pod wants are free.

A port is taken by protocol and number at one address; 0.0.0.0 is every address.
"""

from collections.abc import Iterator, Mapping

import numpy as np

from argosy.scheduler.columns import Columns, Rows
from argosy.scheduler.framework import Mask, Plugin
from argosy.scheduler.shape import ANY_ADDRESS, Port, Shape
from argosy.scheduler.tallies import Tally

TAKEN = "node(s) didn't have free ports for the requested pod ports"


def applies(shape: Shape) -> bool:
    """Whether the pod wants any."""
    return bool(shape.ports)


def free(nodes: Columns, shape: Shape, rows: Rows) -> Mask:
    """Nodes that have all the ports free."""
    mask = np.ones(len(nodes.live[rows]), dtype=np.bool_)
    for tally in _in_the_way(nodes, shape):
        mask &= tally.array(nodes.size)[rows] == 0
    return mask


def free_row(nodes: Columns, shape: Shape, row: int) -> bool:
    """The same of one node."""
    return not any(row in tally.rows for tally in _in_the_way(nodes, shape))


def explain(nodes: Columns, shape: Shape, rows: Rows) -> Mapping[str, int]:
    """All for the same reason."""
    return {TAKEN: len(nodes.live[rows])}


def _in_the_way(nodes: Columns, shape: Shape) -> Iterator[Tally]:
    """What pods have that clashes with what this one wants."""
    taken: Mapping[Port, Tally] = nodes.tallies.carried("port")
    for port in shape.ports if taken else ():
        if port.address == ANY_ADDRESS:
            yield from (tally for other, tally in taken.items() if other[:2] == port[:2])
            continue
        for address in (port.address, ANY_ADDRESS):
            if (tally := taken.get(port._replace(address=address))) is not None:
                yield tally


PLUGIN = Plugin(
    name="NodePorts",
    applies=applies,
    filter=free,
    filter_row=free_row,
    explain=explain,
    usage=True,
)
