"""The objects of every cluster, and what becomes of those that were edited."""

from typing import Any

import pytest

from argosy.apiserver.flowcontrol.defaults import AUTO_UPDATE, defaults, revised, unwanted

Json = dict[str, Any]
ALL = {item["metadata"]["name"] + kind: item for kind, item in defaults()}
SUGGESTED = ALL["systemPriorityLevelConfiguration"]
MANDATORY = ALL["catch-allFlowSchema"]
EXEMPT = ALL["exemptPriorityLevelConfiguration"]


def stored(item: Json, annotation: str | None, generation: int = 1, **spec: Any) -> Json:
    annotations = {} if annotation is None else {AUTO_UPDATE: annotation}
    meta = {**item["metadata"], "annotations": annotations, "generation": generation}
    return {**item, "metadata": meta, "spec": {**item["spec"], **spec}}


def test_there_are_those_of_upstream() -> None:
    kinds = [kind for kind, _ in defaults()]
    assert kinds.count("PriorityLevelConfiguration") == 8
    assert kinds.count("FlowSchema") == 11


@pytest.mark.parametrize(
    ("now", "annotation", "mended"),
    [
        (stored(SUGGESTED, "true"), "true", None),
        (stored(SUGGESTED, "true", 2, type="x"), "true", True),
        (stored(SUGGESTED, "false", 2, type="x"), "false", None),
        (stored(SUGGESTED, None, 1, type="x"), "true", True),
        (stored(SUGGESTED, None, 2, type="x"), "false", False),
        (stored(SUGGESTED, "perhaps", 2), "false", False),
        (stored(MANDATORY, "false", 2, matchingPrecedence=5), "true", True),
        (stored(MANDATORY, "false", 2), "true", True),
    ],
)
def test_what_is_edited_is_put_back_or_left(
    now: Json, annotation: str, mended: bool | None
) -> None:
    wanted = MANDATORY if "FlowSchema" in now["kind"] else SUGGESTED
    new = revised(now, wanted)
    assert (new is None) is (mended is None)
    if new is not None:
        assert new["metadata"]["annotations"][AUTO_UPDATE] == annotation
        assert new["spec"] == (wanted["spec"] if mended else now["spec"])


def test_how_much_the_exempt_level_lends_is_the_administrators() -> None:
    part = {"nominalConcurrencyShares": 7, "lendablePercent": 50}
    assert revised(stored(EXEMPT, "true", 2, exempt=part), EXEMPT) is None


def test_defaults_of_another_version_go_unless_they_were_edited() -> None:
    old = {"metadata": {"name": "old", "annotations": {AUTO_UPDATE: "true"}}}
    assert unwanted(old, frozenset({"new"}))
    assert not unwanted(old, frozenset({"old"}))
    kept = {"metadata": {"name": "old", "annotations": {AUTO_UPDATE: "false"}}}
    assert not unwanted(kept, frozenset())
    assert not unwanted({"metadata": {"name": "mine"}}, frozenset())
