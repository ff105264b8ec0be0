"""The Helm chart is the plain objects, with values in it."""

import re
from pathlib import Path
from typing import Any

import yaml

from argosy.base.manifest import dumped
from argosy.cluster.chart import chart, written
from argosy.cluster.foreign import chosen
from argosy.cluster.manifests import Settings, definitions, manifests, objects

Json = dict[str, Any]
SETTINGS = Settings(kinds=chosen(("modelversions",)), namespace="here", replicas=2)


def rendered(files: dict[str, str], release: Json) -> dict[str, str]:
    """What Helm makes of the templates, as far as they go: values, and one default."""
    values = {"Values": yaml.safe_load(files["values.yaml"]), "Release": release}

    def value(path: str) -> Any:
        found: Any = values
        for name in path.strip(" .").split("."):
            found = found[name]
        return found

    def filled(match: re.Match[str]) -> str:
        first, _, fallback = match[1].partition("| default")
        return str(value(first) or (value(fallback) if fallback else ""))

    return {
        path: re.sub(r"\{\{(.*?)\}\}", filled, text)
        for path, text in files.items()
        if path.startswith("templates/")
    }


def by_kind(bodies: list[Json]) -> dict[str, Json]:
    return {body["kind"]: body for body in bodies}


def test_the_templates_are_the_plain_objects() -> None:
    made = rendered(chart(SETTINGS), {"Namespace": "here", "Service": "argosy"})
    assert by_kind([yaml.safe_load(text) for text in made.values()]) == by_kind(objects(SETTINGS))


def test_values_get_where_they_belong() -> None:
    files = chart(SETTINGS)
    values = {"image": "registry:5000/a@sha256:0", "podImage": "p", "replicas": 7}
    files["values.yaml"] = yaml.safe_dump(values)
    made = rendered(files, {"Namespace": "there", "Service": "Helm"})
    deployment = yaml.safe_load(made["templates/deployment.yaml"])
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "registry:5000/a@sha256:0"
    assert "--pod-image=p" in container["args"]
    assert deployment["spec"]["replicas"] == 7
    assert deployment["metadata"]["namespace"] == "there"
    assert deployment["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "Helm"
    binding = yaml.safe_load(made["templates/clusterrolebinding.yaml"])
    assert binding["subjects"][0]["namespace"] == "there"


def test_definitions_are_left_to_helm_as_they_are() -> None:
    files = chart(SETTINGS)
    made = [yaml.safe_load(text) for path, text in files.items() if path.startswith("crds/")]
    assert [body["spec"] for body in made] == [body["spec"] for body in definitions(SETTINGS)]
    about = yaml.safe_load(files["Chart.yaml"])
    assert (about["apiVersion"], about["name"]) == ("v2", "argosy")


def test_it_is_written(tmp_path: Path) -> None:
    files = chart(SETTINGS)
    written(files, tmp_path / "chart")
    found = {
        str(path.relative_to(tmp_path / "chart")): path.read_text()
        for path in (tmp_path / "chart").rglob("*.yaml")
    }
    assert found == files


def test_what_is_printed_is_what_is_brought() -> None:
    assert list(yaml.safe_load_all(dumped(*manifests(SETTINGS)))) == manifests(SETTINGS)
    assert "&id" not in dumped(*manifests(SETTINGS))
