"""The same as a Helm chart, made of the same objects: `argosy install --chart DIR`.

Objects are rendered with marks in place of what Helm puts in, which are replaced in the text.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from argosy import __version__
from argosy.base.manifest import dumped
from argosy.cluster.manifests import Settings, definitions, objects

Json = dict[str, Any]

MARKS = {
    "__namespace__": "{{ .Release.Namespace }}",
    "__managed-by__": "{{ .Release.Service }}",
    "__image__": "{{ .Values.image }}",
    "__pod-image__": "{{ .Values.podImage | default .Values.image }}",
    "__replicas__": "{{ .Values.replicas }}",
}
"""A value that is nothing else gets quotes, but for the number."""


def chart(settings: Settings) -> dict[str, str]:
    """The chart's files by their paths."""
    about = {
        "apiVersion": "v2",
        "name": "argosy",
        "description": "Argosy's AI platform: training, models and serving on any Kubernetes",
        "type": "application",
        "version": __version__,
        "appVersion": __version__,
    }
    values = {
        "image": settings.image,
        "podImage": settings.pod_image,
        "replicas": settings.replicas,
    }
    files = {"Chart.yaml": dumped(about), "values.yaml": dumped(values)}
    for body in definitions(replace(settings, managed_by="Helm")):
        files[f"crds/{body['metadata']['name']}.yaml"] = dumped(body)
    marked = replace(
        settings,
        namespace="__namespace__",
        managed_by="__managed-by__",
        image="__image__",
        pod_image="__pod-image__",
        replicas="__replicas__",
    )
    for body in objects(marked):
        files[f"templates/{body['kind'].lower()}.yaml"] = _template(body)
    return files


def _template(body: Json) -> str:
    text = dumped(body)
    for mark, template in MARKS.items():
        whole = template if mark == "__replicas__" else f'"{template}"'
        text = text.replace(f": {mark}\n", f": {whole}\n").replace(mark, template)
    return text


def written(files: dict[str, str], folder: Path) -> None:
    """Put the files into the folder. Raises OSError."""
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
