"""All scenarios, in the order in which they are played."""

from tests.simulation.engine import Scenario
from tests.simulation.scenarios.daemonsets import DAEMON_SETS
from tests.simulation.scenarios.deployments import DEPLOYMENTS
from tests.simulation.scenarios.garbage import GARBAGE
from tests.simulation.scenarios.jobs import JOBS
from tests.simulation.scenarios.network import NETWORK
from tests.simulation.scenarios.platform import PLATFORM
from tests.simulation.scenarios.replicas import REPLICAS
from tests.simulation.scenarios.statefulsets import STATEFUL_SETS
from tests.simulation.scenarios.upkeep import UPKEEP

_ALL = (
    *DEPLOYMENTS,
    *REPLICAS,
    *STATEFUL_SETS,
    *DAEMON_SETS,
    *JOBS,
    *GARBAGE,
    *NETWORK,
    *UPKEEP,
    *PLATFORM,
)

SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for scenario in _ALL}
