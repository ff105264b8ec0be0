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


def token(text: str) -> dict[str, Any]:
    return {"continue": base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")}


UNREAD = "invalid continue token: continue key is not valid"


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ({"continue": "nonsense"}, 400, UNREAD),
        ({"continue": "*"}, 400, UNREAD),
        (token('{"rv":1}'), 400, f"{UNREAD}: server does not recognize this encoded version"),
        (
            token('{"v":"meta.k8s.io/v1","start":"a"}'),
            400,
            f"{UNREAD}: incorrect encoded start resourceVersion (version meta.k8s.io/v1)",
        ),
        (
            token('{"v":"meta.k8s.io/v1","rv":1}'),
            400,
            f"{UNREAD}: encoded start key empty (version meta.k8s.io/v1)",
        ),
        (token('{"v":"meta.k8s.io/v1","rv":1,"start":"../a"}'), 400, f"{UNREAD}: ../a"),
        (token('{"v":"meta.k8s.io/v1","rv":1,"start":"a//b"}'), 400, f"{UNREAD}: a//b"),
        (token('{"v":"meta.k8s.io/v1","rv":"1","start":"a"}'), 400, UNREAD),
        (token('{"v":"meta.k8s.io/v1","rv":999999,"start":"a"}'), 400, UNREAD),
        (
            {**token('{"v":"meta.k8s.io/v1","rv":1,"start":"a"}'), "resourceVersion": "1"},
            400,
            "specifying resource version is not allowed when using continue",
        ),
        ({"limit": "x"}, 400, "limit"),
        ({"limit": "-1"}, 400, "limit"),
        ({"resourceVersionMatch": "Exact"}, 422, 'ListOptions.meta.k8s.io "" is invalid'),
        ({"sendInitialEvents": "true"}, 422, 'ListOptions.meta.k8s.io "" is invalid'),
    ],
)
async def test_what_is_refused(api: Api, query: dict[str, Any], status: int, message: str) -> None:
    answer = await api.ask("GET", MAPS, **query)

    assert answer.status == status
    assert answer.message.startswith(message)


def compact(api: Api) -> None:
    store: Any = api.cluster.plane.server._objects
    store.store.compact(store.store.revision)


async def test_a_list_whose_moment_is_gone_may_go_on_with_now(api: Api) -> None:
    await make(api, "a", "b", "c")
    first = await api.ask("GET", MAPS, limit="1")
    await make(api, "bb")
    await api.ask("DELETE", f"{MAPS}/c")
    compact(api)
    goes_on: dict[str, Any] = {"continue": first.meta["continue"]}
    gone = await api.ask("GET", MAPS, **goes_on)
    assert (gone.status, gone.body["reason"]) == (410, "Expired")
    assert "Continuing with the provided token results in an inconsistent list" in gone.message

    goes_on = {"continue": gone.meta["continue"], "limit": "1"}
    second = await api.ask("GET", MAPS, **goes_on)
    assert [item["metadata"]["name"] for item in second.body["items"]] == ["b"]
    goes_on = {"continue": second.meta["continue"]}
    last = await api.ask("GET", MAPS, **goes_on)
    assert [item["metadata"]["name"] for item in last.body["items"]] == ["bb"]


async def test_a_moment_that_is_gone(api: Api) -> None:
    await make(api, "a")
    then = (await api.ask("GET", MAPS)).version
    await make(api, "b")
    compact(api)
    exact: dict[str, Any] = {"resourceVersion": then, "resourceVersionMatch": "Exact"}
    gone = await api.ask("GET", MAPS, **exact)

    assert (gone.status, gone.body["reason"]) == (410, "Expired")
    assert gone.message == "The resourceVersion for the provided list is too old."
    assert gone.meta == {}


async def test_a_token_of_another_namespace_goes_on_by_name(api: Api) -> None:
    await make(api, "a", "b", "c")
    other = "/api/v1/namespaces/kube-system/configmaps"
    for name in ("a", "d"):
        await api.ask("POST", other, {"metadata": {"name": name}})
    first = await api.ask("GET", MAPS, limit="2")
    goes_on: dict[str, Any] = {"continue": first.meta["continue"]}
    rest = await api.ask("GET", other, **goes_on)

    assert [item["metadata"]["name"] for item in rest.body["items"]] == ["d"]


async def test_a_limit_makes_a_version_exact(api: Api) -> None:
    await make(api, "a")
    then = (await api.ask("GET", MAPS)).version
    await make(api, "b")
    for limit, names in (("", ["a", "b"]), ("5", ["a"])):
        answer = await api.ask("GET", MAPS, resourceVersion=then, limit=limit)
        assert [item["metadata"]["name"] for item in answer.body["items"]] == names


async def test_who_takes_any_state_gets_all_of_it(api: Api) -> None:
    await make(api, "a", "b")
    answer = await api.ask("GET", MAPS, resourceVersion="0", limit="1")

    assert len(answer.body["items"]) == 2
    assert "continue" not in answer.meta


async def test_one_object_from_the_future(api: Api) -> None:
    await make(api, "a")
    assert (await api.ask("GET", f"{MAPS}/a", resourceVersion="1")).status == 200
    assert (await api.ask("GET", f"{MAPS}/a", resourceVersion="999999")).status == 504
    assert (await api.ask("GET", f"{MAPS}/a", resourceVersion="x")).status == 400


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
