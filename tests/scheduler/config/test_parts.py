"""A part of a plugin: what is asked of it where a profile does not want all of it."""

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from argosy.api.core import Pod
from argosy.scheduler.config.parts import has, without
from argosy.scheduler.framework import Mask, Plugin, PreemptionTerms, Scores, Survey
from argosy.scheduler.plugins.table import PLUGINS
from argosy.scheduler.state import State
from tests.scheduler.builders import pod

ROWS = np.array([0], dtype=np.intp)
ALL: Mask = np.ones(2, dtype=np.bool_)


class Half:
    """Refuses the first row, and prefers the second."""

    mask: Mask = np.array([False, True])

    def explain(self, rows: NDArray[np.intp]) -> Mapping[str, int]:
        return {"no": len(rows)}

    def score(self, feasible: Mask) -> Scores | None:
        return np.array([0, 100], dtype=np.int64)


def surveyed(state: State, pod: Pod) -> Survey | None:
    return Half() if pod.metadata.name == "p" else None


PLUGIN = Plugin(name="Half", gate=lambda _: "no", survey=surveyed, preemption=PreemptionTerms())


def survey_of(plugin: Plugin, name: str = "p") -> Survey | None:
    assert plugin.survey is not None
    return plugin.survey(State(), pod(name))


def test_a_survey_without_its_scores() -> None:
    found = survey_of(without(PLUGIN, "score"))
    assert found is not None and found.mask is Half.mask
    assert found.explain(ROWS) == {"no": 1}
    assert found.score(ALL) is None
    assert survey_of(without(PLUGIN, "score"), "other") is None


def test_a_survey_without_its_mask() -> None:
    found = survey_of(without(PLUGIN, "filter"))
    assert found is not None and found.mask is None
    assert found.explain(ROWS) == {}
    scores = found.score(ALL)
    assert scores is not None and scores.tolist() == [0, 100]


def test_what_a_plugin_has_no_function_for_takes_nothing_away() -> None:
    plain = Plugin(name="Plain", refuse=lambda _: None)
    assert [has(plain, point) for point in ("filter", "score", "preEnqueue", "postFilter")] == [
        True,
        False,
        False,
        False,
    ]
    assert without(plain, "score") is plain


def test_the_other_points() -> None:
    assert without(PLUGIN, "preEnqueue").gate is None
    assert without(PLUGIN, "postFilter").preemption is None
    assert without(PLUGIN, "preEnqueue").survey is surveyed


def test_who_does_not_filter_refuses_nobody_and_grants_nothing() -> None:
    whole = Plugin(
        name="Whole",
        refuse=lambda _: "no",
        filter=lambda nodes, shape, rows: nodes.live[rows],
        filter_row=lambda nodes, shape, row: False,
        explain=lambda nodes, shape, rows: {"no": 1},
        reserver=lambda devices, pod: None,
        volumes=lambda state, pod, node: (),
    )
    assert without(whole, "filter") == Plugin(name="Whole")


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_nothing_is_left_of_what_is_not_wanted(plugin: Plugin) -> None:
    unfiltered, unscored = without(plugin, "filter"), without(plugin, "score")
    left = (unfiltered.filter, unfiltered.filter_row, unfiltered.refuse, unfiltered.reserver)
    assert left == (None,) * 4
    assert (unscored.score, unscored.score_row) == (None, None)
    assert unscored.filter is plugin.filter and unscored.filter_row is plugin.filter_row
    assert unfiltered.score is plugin.score and unfiltered.score_row is plugin.score_row
