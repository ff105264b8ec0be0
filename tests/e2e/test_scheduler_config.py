"""`argosy up --scheduler-config`: profiles, a stranger's plugin that hangs, and mistakes."""

from pathlib import Path

import pytest

from tests.e2e.kit import Cluster, Json, condition, until
from tests.e2e.test_start_errors import refused

HEAD = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"
PROFILES = """
profiles:
- schedulerName: default-scheduler
- schedulerName: careful
  plugins:
    multiPoint:
      enabled: [{name: Choosy}]
  pluginConfig:
  - name: Choosy
    args: {word: bad}
"""
MODULE = """
from argosy.scheduler.framework import Plugin


def configured(args):
    def refuse(pod):
        while args["word"] in pod.metadata.name:
            pass

    return Plugin(name="Choosy", refuse=refuse)
"""


def installed(folder: Path) -> Path:
    """A stranger's package."""
    (folder / "choosy.py").write_text(MODULE)
    info = folder / "choosy-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: choosy\nVersion: 1.0\n")
    entry = "[argosy.scheduler.plugins]\nChoosy = choosy:configured\n"
    (info / "entry_points.txt").write_text(entry)
    return folder


def pod(name: str, scheduler: str) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "schedulerName": scheduler,
            "automountServiceAccountToken": False,
            "containers": [{"name": "c", "image": "example.com/none"}],
        },
    }


def test_profiles_and_a_plugin_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "packages").mkdir()
    monkeypatch.setenv("PYTHONPATH", str(installed(tmp_path / "packages")))
    file = tmp_path / "scheduler.yaml"
    file.write_text(HEAD + "percentageOfNodesToScore: 50\n" + PROFILES)
    cluster = Cluster(tmp_path, flags=("--scheduler-config", str(file)))
    try:
        cluster.start()
        until(lambda: _ready(cluster))
        for name, scheduler in (("bad", "careful"), ("good", "careful"), ("plain", "")):
            cluster.apply(pod(name, scheduler or "default-scheduler"), "default")

        def scheduled(found: Json) -> bool:
            return condition(found, "PodScheduled").get("status") == "True"

        for name in ("good", "plain"):
            cluster.until("Pod", name, "default", scheduled)
        found = cluster.until(
            "Pod",
            "bad",
            "default",
            lambda it: condition(it, "PodScheduled").get("reason") == "SchedulerError",
        )
        told = condition(found, "PodScheduled")["message"]
        assert told.startswith("plugin Choosy hung")
        assert "percentageOfNodesToScore" in cluster.log()
        assert cluster.stop() == 0
    finally:
        cluster.kill()


def _ready(cluster: Cluster) -> bool | None:
    nodes = cluster.list("Node", "")
    return bool(nodes) and condition(nodes[0], "Ready").get("status") == "True" or None


MISTAKES = [
    ("", "Object 'Kind' is missing: "),
    (HEAD + "profles: []", 'strict decoding error: unknown field "profles"'),
    (
        HEAD + "profiles: [{plugins: {score: {enabled: [{name: Mine}]}}}]",
        'profiles[0].plugins.score.enabled[0]: Not found: "Mine": plugin does not exist',
    ),
]


@pytest.mark.parametrize(("text", "told"), MISTAKES)
def test_mistakes(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "scheduler.yaml"
    file.write_text(text)
    error, hint = refused("--data-dir", tmp_path / "data", "--scheduler-config", file)
    assert error.startswith(f"scheduler configuration {file}: {told}")
    assert "Scheduler Configuration" in hint
    assert not (tmp_path / "data").exists()


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    error, hint = refused("--data-dir", tmp_path / "data", "--scheduler-config", tmp_path / "no")
    assert error.endswith(": No such file or directory")
    assert hint == "name a file that this user may read"
