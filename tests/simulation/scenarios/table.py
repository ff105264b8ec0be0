"""All scenarios, in the order in which they are played."""

from dataclasses import replace

from tests.simulation.engine import Scenario
from tests.simulation.scenarios import (
    deployments,
    garbage,
    jobs,
    network,
    nodes,
    platform,
    scaling,
    statefulsets,
    volumes,
)
from tests.simulation.scenarios.daemonsets import DAEMON_SETS
from tests.simulation.scenarios.deployments import DEPLOYMENTS
from tests.simulation.scenarios.garbage import GARBAGE
from tests.simulation.scenarios.jobs import JOBS
from tests.simulation.scenarios.kinds import OTHERS
from tests.simulation.scenarios.network import NETWORK
from tests.simulation.scenarios.nodes import NODES
from tests.simulation.scenarios.platform import PLATFORM
from tests.simulation.scenarios.replicas import REPLICAS
from tests.simulation.scenarios.scaling import SCALING
from tests.simulation.scenarios.statefulsets import STATEFUL_SETS
from tests.simulation.scenarios.tokens import TOKENS
from tests.simulation.scenarios.upkeep import UPKEEP
from tests.simulation.scenarios.volumes import STORAGE

_ALL = (
    *DEPLOYMENTS,
    *REPLICAS,
    *STATEFUL_SETS,
    *DAEMON_SETS,
    *JOBS,
    *GARBAGE,
    *NETWORK,
    *UPKEEP,
    *NODES,
    *STORAGE,
    *SCALING,
    *TOKENS,
    *OTHERS,
    *PLATFORM,
)
_TWICE = tuple(
    replace(scenario, name=f"{scenario.name}-twice", twice=True, invariants=invariants, writes=2000)
    for scenario, invariants in (
        (deployments.ROLLING, ()),
        (statefulsets.ROLLED, (statefulsets.in_order,)),
        (jobs.ENDED, (jobs.counted_once,)),
        (jobs.TICKED, (jobs.one_a_tick, jobs.counted_once)),
        (garbage.ORPHAN, (garbage.kept,)),
        (network.SERVED, ()),
        (nodes.SILENCE, (nodes.borne,)),
        (volumes.BOUND, (volumes.one_each, volumes.kept_for_claims)),
        (volumes.ATTACHED, (volumes.one_each,)),
        (scaling.SCALED, (scaling.bounded,)),
        (platform.TRAINING, ()),
    )
)
"""Two instances without a leader: wasteful, but all ends as it must."""

SCENARIOS: dict[str, Scenario] = {item.name: item for item in (*_ALL, *_TWICE)}
