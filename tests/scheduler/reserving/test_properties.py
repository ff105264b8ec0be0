"""Whatever comes and ends, in whatever order: gangs are whole or absent, none starves, no two of
them stand in each other's way for ever, and no pod that fits is forgotten."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from argosy.scheduler.backlog import UnitKey
from tests.scheduler.reserving.kit import STEP, Ground

PATIENCE = 30.0
LENGTHS = st.sampled_from([20.0, 60.0, 150.0])
CPUS = 4


class Waiting(RuleBasedStateMachine):
    """Pods and gangs come and end."""

    def __init__(self) -> None:
        super().__init__()
        self.ground = Ground(("n1", "n2"), patience=PATIENCE)
        self.least: dict[str, int] = {}
        self.counter = 0

    def name(self) -> str:
        self.counter += 1
        return f"u{self.counter}"

    @rule(
        cpu=st.integers(1, CPUS),
        length=LENGTHS,
        told=st.booleans(),
        forever=st.booleans(),
        priority=st.integers(0, 1),
    )
    def one(self, cpu: int, length: float, told: bool, forever: bool, priority: int) -> None:
        self.ground.come(
            self.name(), cpu, length=length, told=told, forever=forever, priority=priority
        )

    @rule(
        size=st.integers(2, 4),
        cpu=st.integers(1, CPUS),
        length=LENGTHS,
        told=st.booleans(),
        priority=st.integers(0, 1),
        spare=st.integers(0, 1),
    )
    def several(
        self, size: int, cpu: int, length: float, told: bool, priority: int, spare: int
    ) -> None:
        name = self.name()
        least = self.least[name] = size - spare
        self.ground.gang(
            name, size, cpu=cpu, least=least, length=length, told=told, priority=priority
        )

    @rule(steps=st.integers(1, 6))
    def pass_time(self, steps: int) -> None:
        self.ground.pass_time(steps)

    @invariant()
    def never_too_much(self) -> None:
        assert all(self.ground.cpus(name) <= CPUS for name in ("n1", "n2"))

    @invariant()
    def whole_or_absent(self) -> None:
        for name, least in self.least.items():
            begun = sum(other.startswith(f"{name}-") for other in self.ground.begun)
            assert begun == 0 or begun >= least

    @invariant()
    def kept_for_one_that_waits(self) -> None:
        kept = self.ground.state.reserved
        assert kept is None or kept.key in self.ground.waiting

    def teardown(self) -> None:
        ground = self.ground
        # Each unit runs for 150 seconds at most, and holds room for as long as it may wait.
        ground.pass_time(int(self.counter * (150.0 + 2 * PATIENCE) / STEP) + 10)
        for key in list(ground.waiting):
            unit = ground.backlog.unit(key)
            assert unit is not None
            assert not ground.running and ground.state.reserved is None
            assert not ground.gentle.decide(unit).placements


TestWaiting = Waiting.TestCase
TestWaiting.settings = settings(max_examples=5, stateful_step_count=8, deadline=None)

pods = st.tuples(st.integers(1, 3), st.sampled_from([30.0, 80.0, 200.0]))


@given(stream=st.lists(st.lists(pods, max_size=2), min_size=12, max_size=20))
@settings(max_examples=6, deadline=None)
def test_no_stream_of_small_pods_starves_a_gang(stream: list[list[tuple[int, float]]]) -> None:
    """Nobody knows when the pods of the stream end; none runs for more than 200 seconds."""
    ground = Ground(patience=PATIENCE)
    for number in range(4):
        ground.come(f"first-{number}", 2, length=200.0)
    ground.pass_time()
    key = ground.gang("g", 2)
    # 30, 60 and 120 seconds may be too short, with rests as long; 240 are not.
    most = int((2 * (30 + 60 + 120) + 240) / STEP) + 1
    for step in range(most):
        for number, (cpu, length) in enumerate(stream[step % len(stream)]):
            if len(ground.waiting) < 6:
                ground.come(f"s-{step}-{number}", cpu, length=length)
        ground.pass_time()
        if key not in ground.waiting:
            break
    assert ground.begun["g-0"] == ground.begun["g-1"]


def test_gangs_that_could_each_hold_half_follow_one_another() -> None:
    ground = Ground(patience=PATIENCE)
    for number in range(4):
        ground.come(f"busy-{number}", 2, length=60.0 + 40 * number)
    ground.pass_time()
    names = ("a", "b", "c")
    for name in names:
        ground.gang(name, 2, length=50.0)
    ground.pass_time(120)
    begun = [ground.begun[f"{name}-0"] for name in names]
    assert begun == [ground.begun[f"{name}-1"] for name in names]
    assert begun == sorted(begun) and len(set(begun)) == 3
    assert UnitKey("default", "c", True) not in ground.waiting
