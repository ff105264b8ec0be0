"""Ranks find each other in any order, only on their own address, and not for ever."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from examples.digits.rendezvous import BadEnvironment, NoRendezvous, Rendezvous

DEADLINE = 10.0
HOST = "127.0.78.1"
ELSEWHERE = "127.0.78.2"


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as server:
        return int(server.getsockname()[1])


def test_the_torch_policys_environment_is_understood() -> None:
    environment = {
        "PET_NNODES": "3",
        "PET_NPROC_PER_NODE": "1",
        "PET_NODE_RANK": "2",
        "PET_MASTER_ADDR": "job-node-0-0.job",
        "PET_MASTER_PORT": "29400",
    }
    place = Rendezvous.from_environment(environment, run="r")
    assert place == Rendezvous(2, 3, "job-node-0-0.job", 29400, "r")
    assert Rendezvous.from_environment({}).world == 1


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"PET_NPROC_PER_NODE": "2"}, "PET_NPROC_PER_NODE must be 1"),
        ({"PET_NNODES": "two"}, "PET_NNODES must be a whole number, but is 'two'"),
        ({"PET_NNODES": "2"}, "PET_MASTER_ADDR must name"),
        ({"PET_NODE_RANK": "1"}, "PET_NODE_RANK is 1, but PET_NNODES is 1"),
        ({"PET_NODE_RANK": "-1"}, "PET_NODE_RANK must be a whole number"),
        ({"PET_MASTER_PORT": ""}, "PET_MASTER_PORT must be a whole number"),
    ],
)
def test_a_wrong_environment_is_named(environment: dict[str, str], message: str) -> None:
    with pytest.raises(BadEnvironment, match=message):
        Rendezvous.from_environment(environment)


def test_rank_0_may_come_last_and_strangers_are_sent_away(
    capsys: pytest.CaptureFixture[str],
) -> None:
    place = Rendezvous(0, 3, HOST, _free_port(), "run")
    others = [Rendezvous(rank, 3, HOST, place.port, "run") for rank in (1, 2)]
    stranger = Rendezvous(1, 3, HOST, place.port, "another run")
    with ThreadPoolExecutor(4) as pool:
        lost = pool.submit(stranger.meet, patience=0.3)
        joining = [pool.submit(other.meet, patience=DEADLINE) for other in others[:1]]
        with pytest.raises(NoRendezvous, match=f"reaching rank 0 at {HOST}"):
            others[1].meet(patience=0.1)
        first = pool.submit(place.meet, patience=DEADLINE)
        with pytest.raises(NoRendezvous):
            lost.result(DEADLINE)
        joining += [pool.submit(other.meet, patience=DEADLINE) for other in others[1:]]
        groups = [first.result(DEADLINE), *(future.result(DEADLINE) for future in joining)]
    assert [group.rank for group in groups] == [0, 1, 2]
    assert "run 'another run', is none of ours" in capsys.readouterr().err
    for group in groups:
        group.close()


def test_a_rank_that_comes_again_takes_its_place() -> None:
    port = _free_port()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(Rendezvous(0, 3, HOST, port).meet, patience=DEADLINE)
        groups = [Rendezvous(rank, 3, HOST, port).meet(patience=DEADLINE) for rank in (1, 1, 2)]
        with first.result(DEADLINE) as group:
            group.from_first(b"word")
            assert [other.from_first(b"") for other in groups[1:]] == [b"word", b"word"]
    for other in groups:
        other.close()


def test_rank_0_listens_on_its_own_address_only() -> None:
    port = _free_port()
    # The same port at another pod's address is taken, and that is nobody's business.
    with (
        socket.create_server((ELSEWHERE, port)),
        ThreadPoolExecutor(1) as pool,
    ):
        first = pool.submit(Rendezvous(0, 2, HOST, port).meet, patience=DEADLINE)
        Rendezvous(1, 2, HOST, port).meet(patience=DEADLINE).close()
        first.result(DEADLINE).close()


@pytest.mark.parametrize(
    ("rank", "host", "message"),
    [
        (0, HOST, r"waiting for ranks \[1\]"),
        (1, HOST, "reaching rank 0"),
        (1, "no-such-host.invalid", "reaching rank 0 at no-such-host.invalid"),
        (0, "192.0.2.1", "listening on 192.0.2.1"),
    ],
)
def test_nobody_waits_for_ever(rank: int, host: str, message: str) -> None:
    with pytest.raises(NoRendezvous, match=message):
        Rendezvous(rank, 2, host, _free_port()).meet(patience=0.1)
