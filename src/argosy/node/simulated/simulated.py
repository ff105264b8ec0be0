"""Simulated nodes on a manager: those who keep the nodes (`fleet`), and their pods (`player`)."""

from collections.abc import Iterable

from argosy.api.core import Node
from argosy.api.dra import ResourceSlice
from argosy.node.simulated.fleet import Fleet
from argosy.node.simulated.groups import Group
from argosy.node.simulated.nodes import all_nodes
from argosy.node.simulated.player import NAME, Player
from argosy.runtime.manager import Manager


def add_simulated_nodes(manager: Manager, groups: Iterable[Group]) -> None:
    """Keep the nodes of `groups`, and play what is bound to them. No others are touched, but for
    simulated nodes of earlier runs that are not asked for any more: they go."""
    wanted = all_nodes(groups)
    fleet = Fleet(
        client=manager.client_as(NAME),
        clock=manager.clock,
        wanted=wanted,
        nodes=manager.informer(Node),
        slices=manager.informer(ResourceSlice),
    )
    manager.add_runner(fleet.run)
    manager.add(Player(manager, wanted).controller())
