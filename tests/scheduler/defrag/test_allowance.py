"""Evictions count against budgets one after the other."""

import pytest

from argosy.scheduler.defrag.allowance import Allowance
from tests.scheduler.defrag.kit import budget, runs

WEB = {"matchLabels": {"app": "web"}}
PODS = [runs(f"p{at}", "n1") for at in range(4)]
OTHER = runs("other", "n1", labels={"app": "db"})


def test_several_moves_count_against_one_budget() -> None:
    allowance = Allowance([budget(2, WEB)])
    assert allowance.allows(PODS[:2])
    assert not allowance.allows(PODS[:3])
    assert allowance.allows([*PODS[:2], OTHER])
    allowance.spend(PODS[:1])
    assert allowance.allows(PODS[1:2])
    assert not allowance.allows(PODS[1:3])
    allowance.spend([OTHER])
    assert allowance.allows(PODS[1:2])


@pytest.mark.parametrize(
    ("found", "web", "db"),
    [
        ([], True, True),
        ([budget(0, WEB)], False, True),
        ([budget(-1, WEB)], False, True),
        ([budget(9, None)], True, True),
        ([budget(0, None)], True, True),
        ([budget(0, {})], False, False),
        ([budget(0, {"matchLabels": "nonsense"})], False, False),
        ([budget(9, WEB), budget(9, {}, "all")], False, True),
        ([budget(9, WEB, generation=1)], True, True),
        ([budget(9, WEB, generation=2)], False, True),
    ],
)
def test_what_one_budget_says(found: list[object], web: bool, db: bool) -> None:
    allowance = Allowance(found)  # type: ignore[arg-type]
    assert (allowance.allows(PODS[:1]), allowance.allows([OTHER])) == (web, db)


def test_budgets_of_other_namespaces_don_t_count() -> None:
    elsewhere = budget(0, WEB, namespace="elsewhere")
    assert Allowance([elsewhere]).allows(PODS)
