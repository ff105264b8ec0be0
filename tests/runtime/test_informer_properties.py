"""Whatever happens between a cache and its server, in the end it shows what the server has."""

import asyncio
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.api.core import ConfigMap
from argosy.api.meta import Key
from argosy.client.client import Client
from argosy.runtime.informer import Informer
from argosy.testing.clock import FakeClock
from tests.runtime.modelserver import BROKEN, ENDED, GARBAGE, TOO_OLD, Model

NAMES = ("a", "b", "c", "d", "e")
Step = tuple[str, int, int]
"""What happens, to which of the things that it may happen to, and turns of the loop after it."""


@dataclass
class Heard:
    """What a subscriber was told; each time the old object must be the new one of before."""

    known: dict[Key, ConfigMap] = field(default_factory=dict)

    def __call__(self, old: ConfigMap | None, new: ConfigMap | None) -> None:
        told = new or old
        assert told is not None
        assert self.known.get(told.key) is old
        if new is None:
            del self.known[told.key]
        else:
            assert new != old
            self.known[told.key] = new


def happen(model: Model, what: str, at: int, value: str) -> None:
    name = NAMES[at % len(NAMES)]
    match what:
        case "write":
            model.write(name, value)
        case "delete":
            model.delete(name)
        case "compact":
            model.compact()
        case "down":
            model.down = at
        case "restore":
            model.restore(at)
        case "vanish":
            model.missing = not model.missing
            model.tell(ENDED)
        case signal:
            model.tell(signal)


EVENTS = ("compact", "down", "restore", "vanish", "bookmark", BROKEN, ENDED, GARBAGE, TOO_OLD)
steps = st.lists(
    st.tuples(
        st.sampled_from(("write", "delete") * 6 + EVENTS), st.integers(0, 6), st.integers(0, 12)
    ),
    max_size=40,
)


async def followed(model: Model, script: list[Step]) -> None:
    for at, name in enumerate(NAMES[:4]):
        model.write(name, f"first {at}")
    clock, heard = FakeClock(), Heard()
    informer = Informer(Client(model), ConfigMap, clock)
    informer.subscribe(heard)
    informer.add_index("value", lambda obj: (obj.data["v"],))
    tasks = [asyncio.create_task(informer.run())]
    waiting = []
    for at, (what, which, turns) in enumerate(script):
        happen(model, what, which, f"{at}")
        if at % 3 == 0:
            waiting.append(asyncio.create_task(informer.reached(str(model.revision))))
            await asyncio.sleep(0)
        for _ in range(turns):
            await asyncio.sleep(0)
        if turns > 10:
            await clock.advance(1)
    model.down, model.missing = 0, False
    await clock.advance(61)
    while model.write("last", "last") < model.lost.stop:
        pass
    await clock.advance(61)

    cached = {
        obj.key[1]: (obj.metadata.resource_version, obj.data["v"]) for obj in informer.items()
    }
    assert cached == {name: (str(at), value) for name, (at, value) in model.now.items()}
    assert heard.known == {obj.key: obj for obj in informer.items()}
    for value in {value for _, value in model.now.values()}:
        holders = sorted(name for name, (_, known) in model.now.items() if known == value)
        assert [obj.metadata.name for obj in informer.by_index("value", value)] == holders
    assert all(task.done() for task in waiting)
    assert informer.has_reached(str(model.revision))
    assert not tasks[0].done()
    tasks[0].cancel()
    await asyncio.gather(*tasks, *waiting, return_exceptions=True)


@settings(max_examples=60)
@given(steps, st.booleans())
def test_the_cache_ends_as_the_server_is_and_tells_a_consistent_story(
    script: list[Step], streams: bool
) -> None:
    asyncio.run(followed(Model(streams=streams), script))
