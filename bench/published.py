"""What ten projects publish: which paths of their repositories hold definitions, samples, refusals.

Nothing of it is kept here. A repository is read where it lies, as a bare git directory or as a
checkout. Samples are all objects of a project's own kinds, in YAML files and in the YAML of its
documents, apart from templates; `invalid` are paths of those that are published as wrong.
"""

import json
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Json = dict[str, Any]

KIND = "CustomResourceDefinition"
ENDINGS = (".yaml", ".yml", ".md")
LARGEST = 4 * 2**20
FENCED = re.compile(r"^([ \t]*)```\s*ya?ml[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
PARTED = re.compile(r"^---(?:[ \t].*)?$", re.MULTILINE)
NOT_SAMPLES = re.compile(
    r"(^|/)(vendor|charts?|templates?|node_modules|third_party)/|(^|/)kustomization\.ya?ml$"
)


@dataclass(frozen=True, slots=True)
class Project:
    """One project, or one channel of it: the beginnings of paths in `repository`."""

    name: str
    repository: str
    definitions: tuple[str, ...]
    skipped: tuple[str, ...] = ()
    invalid: tuple[str, ...] = ()


GATEWAY = ("conformance/reports/", "config/")
PROJECTS = (
    Project("Kueue", "kueue", ("config/components/crd/bases/",)),
    Project("KServe", "kserve", ("config/crd/full/",), ("install/", "test/crds/")),
    Project("Kubeflow Trainer", "trainer", ("manifests/base/crds/",)),
    Project("JobSet", "jobset", ("config/components/crd/bases/",)),
    Project(
        "Gateway API, standard",
        "gateway-api",
        ("config/crd/standard/",),
        (*GATEWAY, "examples/experimental/", "hack/invalid-examples/experimental/", "geps/"),
        ("hack/invalid-examples/",),
    ),
    Project(
        "Gateway API, experimental",
        "gateway-api",
        ("config/crd/experimental/",),
        GATEWAY,
        ("hack/invalid-examples/",),
    ),
    Project("cert-manager", "cert-manager", ("deploy/crds/",)),
    Project("KAITO", "kaito", ("config/crd/bases/",)),
    Project("KubeFleet", "kubefleet", ("config/crd/bases/",)),
    Project("Argo CD", "argo-cd", ("manifests/crds/",)),
    Project(
        "Prometheus operator",
        "prometheus-operator",
        ("example/prometheus-operator-crd/",),
        ("example/prometheus-operator-crd-full/", "bundle.yaml"),
    ),
)


@dataclass(frozen=True, slots=True)
class Found:
    """An object, and the file in which it was found."""

    path: str
    body: Json

    @property
    def kind(self) -> tuple[str, str]:
        """Its apiVersion and kind."""
        return str(self.body.get("apiVersion")), str(self.body.get("kind"))


def repository(folder: Path, name: str) -> Path | None:
    """Where the repository lies: `name`, `owner+name`, and in either a bare directory `repo`."""
    for where in sorted([*folder.glob(name), *folder.glob(f"*+{name}")]):
        return where / "repo" if (where / "repo" / "objects").is_dir() else where
    return None


def definitions(files: Iterable[tuple[str, str]], project: Project) -> Iterator[Json]:
    """The project's CustomResourceDefinitions."""
    for path, text in files:
        if path.startswith(project.definitions):
            for body in objects(path, text):
                # Patches of definitions, which lie among them, have no versions.
                if body.get("kind") == KIND and "versions" in body.get("spec", {}):
                    yield {key: value for key, value in body.items() if key != "status"}


def samples(
    files: Iterable[tuple[str, str]], project: Project, kinds: set[tuple[str, str]]
) -> list[Found]:
    """The project's objects of `kinds`, each once."""
    skipped = project.definitions + project.skipped
    found: dict[str, Found] = {}
    for path, text in files:
        if path.startswith(skipped) or NOT_SAMPLES.search(path):
            continue
        for body in objects(path, text):
            one = Found(path, body)
            if one.kind in kinds:
                found.setdefault(json.dumps(body, sort_keys=True), one)
    return list(found.values())


def objects(path: str, text: str) -> Iterator[Json]:
    """The objects in a file; what is no YAML, or no object, is passed over."""
    blocks = [text]
    if path.endswith(".md"):
        blocks = [_outdented(*found.groups()) for found in FENCED.finditer(text)]
    for block in blocks:
        for document in PARTED.split(block):
            yield from _parsed(document)


def files(where: Path) -> list[tuple[str, str]]:
    """The repository's YAML files and documents."""
    bare = (where / "objects").is_dir()
    read = _of_git(where) if bare else _of_checkout(where)
    return [(path, data.decode(errors="replace")) for path, data in read if len(data) <= LARGEST]


def _outdented(indent: str, text: str) -> str:
    return "\n".join(line.removeprefix(indent) for line in text.split("\n"))


def _parsed(document: str) -> Iterator[Json]:
    if "apiVersion" not in document or "kind" not in document:
        return
    try:
        # Through JSON, because YAML knows more: keys of any type, sets, NaN.
        body = json.loads(json.dumps(yaml.load(document, Loader=_Loader), allow_nan=False))
    except (yaml.YAMLError, TypeError, ValueError):
        return
    if not isinstance(body, dict):
        return
    items = body.get("items")
    if str(body.get("kind")).endswith("List") and isinstance(items, list):
        yield from (item for item in items if isinstance(item, dict))
    else:
        yield body


def _of_checkout(where: Path) -> Iterator[tuple[str, bytes]]:
    for file in sorted(where.rglob("*")):
        if file.suffix in ENDINGS and file.is_file():
            yield str(file.relative_to(where)), file.read_bytes()


def _of_git(where: Path) -> Iterator[tuple[str, bytes]]:
    git = ("git", f"--git-dir={where}")
    listed = subprocess.run(
        [*git, "ls-tree", "-r", "-z", "HEAD"], capture_output=True, check=True
    ).stdout
    wanted = [
        (line.split()[2], line.split("\t", 1)[1])
        for line in listed.decode().split("\0")
        if line.startswith("100") and line.endswith(ENDINGS)
    ]
    asked = "\n".join(name for name, _ in wanted).encode()
    told = subprocess.run(
        [*git, "cat-file", "--batch"], input=asked, capture_output=True, check=True
    ).stdout
    at = 0
    for _, path in wanted:
        end = told.index(b"\n", at)
        head, at = told[at:end].split(), end + 1
        if head[-1] == b"missing":  # a snapshot may lack its largest files
            continue
        size = int(head[2])
        yield path, told[at : at + size]
        at += size + 1


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe, and as Kubernetes' clients read: timestamps, `=` and `1:30` are strings."""


_STRINGS = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:value")
_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, re.compile(r"(?!.*:)(?:" + found.pattern + ")", found.flags))
        for tag, found in resolvers
        if tag not in _STRINGS
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
