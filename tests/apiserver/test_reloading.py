"""A file of configuration is taken over when it changes; what goes wrong changes nothing."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from argosy.apiserver.configfile import ConfigurationError
from argosy.apiserver.reloading import (
    GLANCE_SECONDS,
    LOOK_SECONDS,
    NotYetError,
    Reloading,
    digest_of,
)
from argosy.testing.clock import EPOCH, FakeClock


class Taker:
    """Takes what has no fault; what it was given, in its order."""

    def __init__(self) -> None:
        self.given: list[bytes] = []
        self.holds = b"first"
        self.down = False

    async def take(self, data: bytes) -> bool:
        self.given.append(data)
        if self.down:
            raise NotYetError("down")
        if b"deep" in data:
            raise RecursionError
        if b"wrong" in data:
            raise ConfigurationError("wrong")
        before, self.holds = self.holds, data.strip()
        return self.holds != before


class Scene:
    def __init__(self, file: Path) -> None:
        self.file, self.clock, self.taker = file, FakeClock(), Taker()
        file.write_bytes(b"first")
        self.it = Reloading("authentication", file, self.clock, self.taker.take)
        self.task = asyncio.get_running_loop().create_task(self.it.run())

    def samples(self) -> dict[str, float]:
        """Of all metrics, by their line's name and label."""
        return {
            line.rpartition(" ")[0].removeprefix("apiserver_authentication_config_controller_"): (
                float(line.rpartition(" ")[2])
            )
            for family in self.it.families()
            for line in family.lines(canonical=False)
        }


@pytest_asyncio.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    made = Scene(tmp_path / "file")
    await made.clock.advance(0)
    yield made
    made.task.cancel()


def info(data: bytes) -> str:
    return f'last_config_info{{hash="{digest_of(data)}"}}'


async def test_what_holds_at_the_start_is_no_reload(scene: Scene) -> None:
    assert scene.samples() == {info(b"first"): 1}
    assert scene.taker.given == [b"first"]


async def test_a_change_is_taken_over_within_a_glance_and_once(scene: Scene) -> None:
    scene.file.write_bytes(b"second")
    await scene.clock.advance(GLANCE_SECONDS)
    assert scene.taker.holds == b"second"
    await scene.clock.advance(3 * LOOK_SECONDS)
    assert scene.taker.given == [b"first", b"second"]
    told = scene.samples()
    assert told['automatic_reloads_total{status="success"}'] == 1
    moment = told['automatic_reload_last_timestamp_seconds{status="success"}']
    assert moment == EPOCH.timestamp() + GLANCE_SECONDS
    assert told[info(b"second")] == 1 and info(b"first") not in told


async def test_another_file_in_its_place_and_one_of_the_same_stamp_are_seen(scene: Scene) -> None:
    other = scene.file.with_name("other")
    other.write_bytes(b"moved")
    other.replace(scene.file)
    await scene.clock.advance(GLANCE_SECONDS)
    assert scene.taker.holds == b"moved"
    stamp = scene.file.stat()
    scene.file.write_bytes(b"alike")
    os.utime(scene.file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    await scene.clock.advance(LOOK_SECONDS + GLANCE_SECONDS)
    assert scene.taker.holds == b"alike"


async def test_what_is_wrong_is_refused_once_and_keeps_what_held(scene: Scene) -> None:
    scene.file.write_bytes(b"wrong")
    await scene.clock.advance(5 * LOOK_SECONDS)
    assert scene.taker.holds == b"first"
    assert scene.taker.given == [b"first", b"wrong"]
    assert scene.samples()['automatic_reloads_total{status="failure"}'] == 1
    assert scene.samples()[info(b"first")] == 1


async def test_what_can_not_be_had_yet_is_tried_again_each_minute(scene: Scene) -> None:
    scene.taker.down = True
    scene.file.write_bytes(b"second")
    await scene.clock.advance(GLANCE_SECONDS)
    assert len(scene.taker.given) == 2
    await scene.clock.advance(LOOK_SECONDS)
    assert len(scene.taker.given) == 3
    scene.taker.down = False
    await scene.clock.advance(LOOK_SECONDS)
    assert scene.taker.holds == b"second"
    assert scene.samples()['automatic_reloads_total{status="failure"}'] == 2


async def test_a_file_that_goes_and_comes_back(scene: Scene) -> None:
    scene.file.unlink()
    await scene.clock.advance(GLANCE_SECONDS)
    assert scene.samples()['automatic_reloads_total{status="failure"}'] == 1
    scene.file.write_bytes(b"back")
    await scene.clock.advance(GLANCE_SECONDS)
    assert scene.taker.holds == b"back"


async def test_the_same_in_other_words_is_no_reload(scene: Scene) -> None:
    scene.file.write_bytes(b"first ")
    await scene.clock.advance(GLANCE_SECONDS)
    assert scene.samples() == {info(b"first "): 1}


async def test_whatever_happens_it_goes_on(scene: Scene) -> None:
    scene.file.write_bytes(b"deep")
    await scene.clock.advance(GLANCE_SECONDS)
    assert scene.samples()['automatic_reloads_total{status="failure"}'] == 1
    scene.file.write_bytes(b"flat")
    await scene.clock.advance(GLANCE_SECONDS)
    assert scene.taker.holds == b"flat"
