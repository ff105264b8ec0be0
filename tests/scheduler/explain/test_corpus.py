"""Explanations of pods whose cause is known: the reason is right, and every fix helps."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from argosy.scheduler.explain.report import Report, explain
from argosy.scheduler.plugins.table import PLUGINS
from tests.scheduler.explain.corpus import CAUSES
from tests.scheduler.explain.ground import Case, placed

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SEEDS = range(9)  # of each of the causes: well above 200 cases in all
SHARE = 0.95
HELPLESS = frozenset(
    ("no_nodes", "unheard_of_resource", "no_such_device", "unbound_claim", "volume_elsewhere")
)
"""Causes for which nothing that we could try helps."""


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.__name__)
def test_the_reason_is_right_and_every_fix_places_the_pod(cause: Callable[[int], Case]) -> None:
    right, fixed, told = 0, 0, []
    for seed in SEEDS:
        case = cause(seed)
        assert cause.__name__ == "unserved" or not placed(case.snapshot, case.pod)
        report = explain(case.snapshot, case.pod, PLUGINS, NOW)
        assert len(report.headline) <= 200
        for fix in report.fixes:
            assert placed(case.snapshot.changed(fix.change), case.pod), fix
        right += is_right(case, report)
        fixed += bool(report.fixes)
        told.append(f"{report.reason}: {report.headline}")
    print(f"{cause.__name__}: {right}/{len(SEEDS)} right, {fixed} with fixes")
    assert right >= SHARE * len(SEEDS), "\n".join(told)
    assert fixed >= (0 if cause.__name__ in HELPLESS else SHARE * len(SEEDS)), "\n".join(told)


def is_right(case: Case, report: Report) -> bool:
    """Whether the report names the cause that was put in."""
    return report.reason in case.reasons and case.word in report.headline
