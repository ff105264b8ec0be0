"""`argosy check`: judge manifests without a cluster."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from argosy.cli.terminal import fail, say

if TYPE_CHECKING:
    from argosy.security.podsecurity.evaluate import Finding
    from argosy.security.podsecurity.levels import Standard

Json = dict[str, Any]

BAD_INPUT = 2

app = typer.Typer(help="Judge manifests without a cluster.", no_args_is_help=True)


@dataclass(frozen=True, slots=True)
class Checked:
    """One object, and what its pods break."""

    kind: str
    namespace: str
    name: str
    findings: tuple["Finding", ...]

    def shown(self) -> str:
        """For people."""
        where = f" in {self.namespace}" if self.namespace else ""
        lines = [f"{self.kind} {self.name}{where}"]
        return "\n".join(lines + [f"  {one.check}: {one}" for one in self.findings])

    def data(self) -> Json:
        """For programs."""
        found = [
            {"check": one.check, "reason": one.reason, "detail": one.detail}
            for one in self.findings
        ]
        return {
            "kind": self.kind,
            "namespace": self.namespace,
            "name": self.name,
            "violations": found,
        }


@app.command()
def pods(
    files: Annotated[
        list[str],
        typer.Option(
            "-f",
            "--filename",
            help="A file of manifests, YAML or JSON; - reads stdin. May be given several times.",
            show_default=False,
            metavar="FILE",
        ),
    ],
    level: Annotated[str, typer.Option(help="privileged, baseline or restricted.")] = "restricted",
    version: Annotated[
        str, typer.Option(help="The level as of a version of Kubernetes: v1.x, or latest.")
    ] = "latest",
    output: Annotated[
        str, typer.Option("-o", "--output", help="json, or text for people.")
    ] = "text",
) -> None:
    """Say which pods break a Pod Security Standard, and how.

    Pods and the templates of workloads are judged, in the words of a cluster that enforces the
    level; other objects are passed over. Ends with 0 where all is well, with 1 where a pod breaks
    the standard, and with 2 where the manifests can't be understood.
    """
    standard = _standard(level, version)
    if output not in ("json", "text"):
        fail(f"unknown output {output!r}", "use -o json or -o text", code=BAD_INPUT)
    checked = [one for file in files for one in _checked(file, standard)]
    broken = [one for one in checked if one.findings]
    if output == "json":
        data = {"standard": str(standard), "objects": [one.data() for one in checked]}
        sys.stdout.write(f"{json.dumps(data, indent=2, ensure_ascii=False)}\n")
    else:
        sys.stdout.writelines(f"{one.shown()}\n" for one in broken)
    if broken:
        hint = f"a namespace takes them without the label {_label()}, or with a level that fits"
        fail(f"{len(broken)} of {len(checked)} with pods violate {standard}", hint)
    say(f"{len(checked)} with pods, none violates {standard}")


def _label() -> str:
    from argosy.security.podsecurity.levels import PREFIX

    return f"{PREFIX}enforce"


def _standard(level: str, version: str) -> "Standard":
    from argosy.security.podsecurity.levels import Standard, read_level, read_version

    try:
        return Standard(read_level(level), read_version(version))
    except ValueError as error:
        wrong = f"level {level!r}, version {version!r}: {error}"
        fail(wrong, "try --level restricted --version latest", code=BAD_INPUT)


def _checked(file: str, standard: "Standard") -> Iterator[Checked]:
    from argosy.cli.manifests import ManifestError, read

    shown = "stdin" if file == "-" else file
    try:
        objects = read(file)
    except ManifestError as error:
        hint = "give a file of Kubernetes manifests, or - for stdin"
        fail(f"reading {shown}: {error}", hint, code=BAD_INPUT)
    for obj in objects:
        if (checked := _judged(obj, shown, standard)) is not None:
            yield checked


def _judged(obj: Json, file: str, standard: "Standard") -> Checked | None:
    from argosy.api.builtin import load, minors
    from argosy.api.defaults.table import DEFAULTS
    from argosy.api.kinds import PREFERRED
    from argosy.api.structural import check, prune
    from argosy.security.podsecurity.evaluate import evaluate
    from argosy.security.podsecurity.templates import TEMPLATES, pod_of

    resource = PREFERRED.get(obj["kind"])
    group = str(obj.get("apiVersion")).rpartition("/")[0]
    if resource is None or resource.group != group or resource.qualified not in TEMPLATES:
        return None
    schema = load(minors()[-1])(resource.definition)
    if errors := check(schema, obj):
        fail(f"{file}: {obj['kind']}: {errors[0]}", "mend the manifest first", code=BAD_INPUT)
    whole = prune(schema, obj)
    DEFAULTS[resource.kind](whole)
    pod = pod_of(resource.qualified, whole)
    findings = () if pod is None else evaluate(standard, *pod)
    meta = whole.get("metadata") or {}
    name = meta.get("name") or meta.get("generateName") or ""
    return Checked(resource.kind, meta.get("namespace") or "", name, findings)
