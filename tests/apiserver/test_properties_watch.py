"""Lists and watches through the server: whoever lists and then watches knows what is there.

Objects come, change and go at random. Followers begin at random points, some with a selector, read
a few events, break off and go on from the last version that they have seen.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.apiserver.kit import Api, Json, path, serving

MAPS = path("ConfigMap")
END = "the-end"
PATIENCE = 2.0
"""Seconds that a follower waits for the last event: one that it misses fails the test."""
SELECTORS = ("", "app=x", "app!=y", "app in (x,y)")
ONE_WRITE = st.tuples(st.sampled_from("abcd"), st.sampled_from(["x", "y", "z", "gone"]))
WRITES = st.lists(ONE_WRITE, max_size=12)


async def write(api: Api, name: str, label: str) -> None:
    """Make an object, change it, or take it away, whichever fits."""
    where = f"{MAPS}/{name}"
    if label == "gone":
        await api.ask("DELETE", where)
        return
    wanted = {"metadata": {"name": name, "labels": {"app": label}}}
    found = await api.get(where)
    answer = await api.ask(*(("PUT", where) if found.status == 200 else ("POST", MAPS)), wanted)
    assert answer.status in (200, 201), answer.body


@dataclass
class Follower:
    """What one client knows: the objects by name, and all events that brought it there."""

    selector: str
    known: dict[str, str] = field(default_factory=dict)
    version: int = 0
    seen: list[tuple[int, str, str]] = field(default_factory=list)

    async def list(self, api: Api) -> None:
        answer = await api.get(MAPS, labelSelector=self.selector)
        self.version = int(answer.version)
        self.known = {
            item["metadata"]["name"]: item["metadata"]["labels"]["app"]
            for item in answer.body["items"]
        }

    async def follow(self, api: Api, most: int | None = None) -> None:
        """Read on to the end, or `most` events."""
        events = api.watch(
            MAPS,
            labelSelector=self.selector,
            resourceVersion=str(self.version),
            allowWatchBookmarks="true",
        )
        async with asyncio.timeout(PATIENCE), aclosing(events):
            async for event in events:
                if self._take(event) or (most := None if most is None else most - 1) == 0:
                    return

    def _take(self, event: Json) -> bool:
        """Learn from an event; whether it was the last one."""
        meta = event["object"]["metadata"]
        version, name = int(meta["resourceVersion"]), meta.get("name", "")
        assert version > self.version or event["type"] == "BOOKMARK", "none comes twice"
        self.version = version
        if event["type"] == "BOOKMARK":
            return False
        self.seen.append((version, event["type"], name))
        if event["type"] == "DELETED":
            assert self.known.pop(name), "what goes was there"
        else:
            assert (event["type"] == "ADDED") is (name not in self.known)
            self.known[name] = meta["labels"]["app"]
        return bool(name == END)


async def finish(api: Api) -> dict[str, str]:
    """The last write, which every selector lets through; what there is then."""
    await write(api, END, "x")
    whole = Follower("")
    await whole.list(api)
    return whole.known


def selected(known: dict[str, str], selector: str) -> dict[str, str]:
    """What a selector lets through, told without the server's own selectors."""
    labels = {"": "xyz", "app=x": "x", "app!=y": "xz", "app in (x,y)": "xy"}[selector]
    return {name: label for name, label in known.items() if label in labels}


@settings(max_examples=15)
@given(
    WRITES,
    st.lists(st.tuples(st.integers(0, 12), st.sampled_from(SELECTORS)), min_size=1, max_size=3),
    st.lists(st.integers(1, 3), max_size=4),
)
async def test_list_then_watch_is_what_there_is(
    writes: Sequence[tuple[str, str]],
    starts: Sequence[tuple[int, str]],
    breaks: Sequence[int],
) -> None:
    async with serving() as api:
        followers = []
        for step, (name, label) in enumerate([*writes, ("", "gone")]):
            for start, selector in starts:
                if min(start, len(writes)) == step:
                    followers.append(Follower(selector))
                    await followers[-1].list(api)
            if name:
                await write(api, name, label)
        final = await finish(api)
        for follower in followers:
            whole = Follower(follower.selector, dict(follower.known), follower.version)
            await whole.follow(api)
            for most in breaks:
                if END not in follower.known:
                    await follower.follow(api, most)
            if END not in follower.known:
                await follower.follow(api)
            assert follower.known == whole.known == selected(final, follower.selector)
            assert follower.seen == whole.seen, "neither gap nor repeat where one broke off"


@settings(max_examples=10)
@given(WRITES, WRITES, st.sampled_from(SELECTORS))
async def test_who_watches_while_others_write_misses_nothing(
    before: Sequence[tuple[str, str]], after: Sequence[tuple[str, str]], selector: str
) -> None:
    async with serving() as api:
        for name, label in before:
            await write(api, name, label)
        live, breaking = Follower(selector), Follower(selector)
        await live.list(api)
        await breaking.list(api)
        following = asyncio.create_task(live.follow(api))
        pieces = asyncio.create_task(in_pieces(api, breaking))
        for name, label in after:
            await write(api, name, label)
        final = await finish(api)
        await asyncio.gather(following, pieces)
        assert live.known == breaking.known == selected(final, selector)
        assert live.seen == breaking.seen


async def in_pieces(api: Api, follower: Follower) -> None:
    while END not in follower.known:
        await follower.follow(api, 1)


@settings(max_examples=10)
@given(WRITES, WRITES, st.sampled_from(SELECTORS))
async def test_a_watch_that_begins_with_all_there_is(
    before: Sequence[tuple[str, str]], after: Sequence[tuple[str, str]], selector: str
) -> None:
    """`sendInitialEvents`: the objects, a bookmark that says so, and what comes then."""
    async with serving() as api:
        for name, label in before:
            await write(api, name, label)
        there = Follower(selector)
        await there.list(api)
        events = api.watch(
            MAPS,
            labelSelector=selector,
            sendInitialEvents="true",
            resourceVersionMatch="NotOlderThan",
            allowWatchBookmarks="true",
        )
        async with asyncio.timeout(PATIENCE), aclosing(events):
            initial = await until_bookmark(events)
            assert {name: label for name, label, _ in initial} == there.known
            follower = Follower(selector, dict(there.known), there.version)
            for name, label in after:
                await write(api, name, label)
            final = await finish(api)
            async for event in events:
                if follower._take(event):
                    break
        assert follower.known == selected(final, selector)


async def until_bookmark(events: AsyncGenerator[Json, None]) -> list[tuple[str, str, int]]:
    """The objects before the bookmark: name, label, version."""
    found: list[tuple[str, str, int]] = []
    async for event in events:
        meta: dict[str, Any] = event["object"]["metadata"]
        if event["type"] == "BOOKMARK":
            assert meta["annotations"]["k8s.io/initial-events-end"] == "true"
            return found
        assert event["type"] == "ADDED"
        found.append((meta["name"], meta["labels"]["app"], int(meta["resourceVersion"])))
    raise AssertionError("the watch ended")


@settings(max_examples=40)
@given(
    st.permutations("abcd"),
    st.lists(st.lists(ONE_WRITE, min_size=1, max_size=3), max_size=4),
    st.sampled_from(SELECTORS),
    st.integers(1, 3),
)
async def test_pieces_are_of_one_moment(
    before: Sequence[str],
    meanwhile: Sequence[Sequence[tuple[str, str]]],
    selector: str,
    limit: int,
) -> None:
    """Pages under writes: together they are what there was at the first, labels and all."""
    async with serving() as api:
        for name, label in zip(before, "xyzx", strict=True):
            await write(api, name, label)
        snapshot = Follower(selector)
        await snapshot.list(api)
        turns = iter(meanwhile)
        found: dict[str, str] = {}
        query: dict[str, str] = {}
        while True:
            answer = await api.get(MAPS, labelSelector=selector, limit=str(limit), **query)
            assert int(answer.version) == snapshot.version
            items = [item["metadata"] for item in answer.body["items"]]
            assert not found.keys() & {meta["name"] for meta in items}, "none comes twice"
            found |= {meta["name"]: meta["labels"]["app"] for meta in items}
            if not (token := answer.body["metadata"].get("continue")):
                break
            query = {"continue": token}
            for name, label in next(turns, ()):
                await write(api, name, label)
        assert found == snapshot.known
