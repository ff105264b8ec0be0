"""Lists in pieces: one snapshot, whatever is written meanwhile."""

import base64
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.apiserver.kit import Api, serving

MAPS = "/api/v1/namespaces/default/configmaps"


async def make(api: Api, *names: str, **labels: str) -> None:
    for name in names:
        body = {"metadata": {"name": name, "labels": labels}}
        assert (await api.ask("POST", MAPS, body)).status == 201


async def pieces(api: Api, limit: int, **query: str) -> list[list[str]]:
    """The names in each piece, following the tokens to the end."""
    found = []
    token = ""
    while True:
        given: dict[str, Any] = {"limit": str(limit), **query}
        given |= {"continue": token} if token else {}
        answer = await api.ask("GET", MAPS, **given)
        assert answer.status == 200
        found.append([item["metadata"]["name"] for item in answer.body["items"]])
        token = answer.body["metadata"].get("continue", "")
        if not token:
            return found


async def test_pieces_make_the_whole_list(api: Api) -> None:
    await make(api, "a", "b", "c", "d", "e")
    assert await pieces(api, 2) == [["a", "b"], ["c", "d"], ["e"]]
    assert await pieces(api, 5) == [["a", "b", "c", "d", "e"]]
    assert await pieces(api, 0) == [["a", "b", "c", "d", "e"]]


async def test_a_piece_says_how_many_remain_unless_selectors_hide_it(api: Api) -> None:
    await make(api, "a", "b", "c", app="x")
    plain = await api.ask("GET", MAPS, limit="1")
    assert plain.body["metadata"]["remainingItemCount"] == 2
    selected = await api.ask("GET", MAPS, limit="1", labelSelector="app=x")
    assert "remainingItemCount" not in selected.body["metadata"]


async def test_selectors_fill_each_piece(api: Api) -> None:
    await make(api, "a", "c", "e", app="x")
    await make(api, "b", "d", "f", app="y")
    assert await pieces(api, 2, labelSelector="app=y") == [["b", "d"], ["f"]]


async def test_later_pieces_are_of_the_first_ones_moment(api: Api) -> None:
    await make(api, "a", "b", "c")
    first = await api.ask("GET", MAPS, limit="1")
    await api.ask("DELETE", f"{MAPS}/b")
    await make(api, "bb")
    token = first.body["metadata"]["continue"]
    goes_on: dict[str, Any] = {"continue": token}
    rest = await api.ask("GET", MAPS, **goes_on)
    assert [item["metadata"]["name"] for item in rest.body["items"]] == ["b", "c"]
    revisions = {answer.body["metadata"]["resourceVersion"] for answer in (first, rest)}
    assert len(revisions) == 1


@settings(max_examples=25)
@given(
    names=st.sets(st.sampled_from("abcdefgh"), min_size=1),
    limit=st.integers(1, 4),
    writes=st.lists(st.sampled_from("abcdefghij"), max_size=6),
)
async def test_paging_under_writes_equals_the_snapshot(
    names: set[str], limit: int, writes: list[str]
) -> None:
    async with serving() as api:
        await make(api, *sorted(names))
        found: list[str] = []
        token = ""
        while True:
            given: dict[str, Any] = {"limit": str(limit)}
            given |= {"continue": token} if token else {}
            answer = await api.ask("GET", MAPS, **given)
            found += [item["metadata"]["name"] for item in answer.body["items"]]
            token = answer.body["metadata"].get("continue", "")
            if not token:
                break
            if writes:  # between two pieces somebody makes an object, or takes it away
                name = writes.pop()
                if (await api.ask("POST", MAPS, {"metadata": {"name": name}})).status == 409:
                    await api.ask("DELETE", f"{MAPS}/{name}")
        assert found == sorted(names)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"continue": "nonsense"}, 400),
        ({"continue": base64.urlsafe_b64encode(b'{"rv":1}').decode()}, 400),
        ({"continue": base64.urlsafe_b64encode(b'{"rv":999999,"start":"a"}').decode()}, 400),
        ({"continue": base64.urlsafe_b64encode(b'{"rv":0,"start":"a"}').decode()}, 410),
        ({"limit": "x"}, 400),
        ({"limit": "-1"}, 400),
        ({"resourceVersionMatch": "Exact"}, 422),
        ({"resourceVersionMatch": "Exact", "resourceVersion": "0"}, 422),
        ({"resourceVersionMatch": "Nearly", "resourceVersion": "1"}, 422),
    ],
)
async def test_what_is_refused(api: Api, query: dict[str, Any], status: int) -> None:
    assert (await api.ask("GET", MAPS, **query)).status == status


async def test_a_list_as_of_a_revision(api: Api) -> None:
    await make(api, "a")
    then = (await api.ask("GET", MAPS)).body["metadata"]["resourceVersion"]
    await make(api, "b")
    exact = await api.ask("GET", MAPS, resourceVersion=then, resourceVersionMatch="Exact")
    assert [item["metadata"]["name"] for item in exact.body["items"]] == ["a"]
    newer = await api.ask("GET", MAPS, resourceVersion=then, resourceVersionMatch="NotOlderThan")
    assert len(newer.body["items"]) == 2


async def test_a_collection_is_deleted_by_selector(api: Api) -> None:
    await make(api, "a", "c", app="x")
    await make(api, "b", app="y")
    gone = await api.ask("DELETE", MAPS, labelSelector="app=x")
    assert gone.status == 200 and gone.body["kind"] == "ConfigMapList"
    assert [item["metadata"]["name"] for item in gone.body["items"]] == ["a", "c"]
    assert await pieces(api, 0) == [["b"]]
    assert (await api.ask("DELETE", MAPS, dryRun="All")).status == 200
    assert await pieces(api, 0) == [["b"]]
