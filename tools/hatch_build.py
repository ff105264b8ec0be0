"""Turns the Kubernetes definitions of each minor into what the wheel carries.

`kubernetes-validate` ships the OpenAPI definitions of every supported minor as JSON Schema, 1.8 MB
each. The wheel gets two compressed files a minor: `1.37.json.gz` with the structure, which a
server reads at its start, and `1.37.descriptions.json.gz` with the prose, which only OpenAPI
documents need. `argosy.api.builtin` reads them. Hatchling runs this for wheels and editable
installs; `python tools/hatch_build.py` does the same by hand.
"""

import gzip
import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

TARGET = Path("src/argosy/api/definitions")
REFERENCE = "#/components/schemas/"
_RELEASE = re.compile(r"v(1\.\d+)\.\d+-local")

Node = dict[str, Any]


class CustomBuildHook(BuildHookInterface[Any]):
    """Writes the definitions before the wheel's files are gathered."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """An sdist needs none: the wheel that is built from it makes its own."""
        if self.target_name != "sdist":
            generate(Path(self.root) / TARGET)


def generate(folder: Path) -> None:
    """Writes both files of every minor into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for minor, source in releases():
        definitions: dict[str, Node] = json.loads(source.read_bytes())["$defs"]
        nodes = {name: compact(node) for name, node in definitions.items()}
        structure = {"kinds": kinds(definitions), "definitions": nodes}
        _write(folder / f"{minor}.json.gz", structure)
        prose = {name: descriptions(node) for name, node in definitions.items()}
        _write(folder / f"{minor}.descriptions.json.gz", prose)


def releases() -> Iterator[tuple[str, Path]]:
    """Each minor that the library has, with the file of its definitions."""
    found = importlib.util.find_spec("kubernetes_validate")
    if found is None or found.origin is None:
        raise RuntimeError("kubernetes-validate is not installed: the definitions come from it")
    for folder in sorted((Path(found.origin).parent / "kubernetes-json-schema").iterdir()):
        if match := _RELEASE.fullmatch(folder.name):
            yield match[1], folder / "_definitions.json"


def kinds(definitions: dict[str, Node]) -> dict[str, str]:
    """`group/version/Kind` (core: `/v1/Pod`) to the definition's name.

    Option kinds such as DeleteOptions belong to every group; they are no kind of one.
    """
    named: dict[str, str] = {}
    for name, node in definitions.items():
        served = node.get("x-kubernetes-group-version-kind", [])
        if len(served) == 1:
            named["{group}/{version}/{kind}".format(**served[0])] = name
    return named


def compact(node: Node) -> Node:
    """`node` in OpenAPI v3 form without its prose.

    Upstream's schemas have neither `null` types nor an enumeration of apiVersion and kind: both
    were added for validators of files.
    """
    kept = {key: value for key, value in node.items() if key not in ("description", "enum")}
    if isinstance(kept.get("type"), list):
        kept["type"] = kept["type"][0]
    if "$ref" in kept:
        kept["$ref"] = REFERENCE + kept["$ref"].removeprefix("#/$defs/")
    for key in ("items", "additionalProperties"):
        if key in kept:
            kept[key] = compact(kept[key])
    if "properties" in kept:
        kept["properties"] = {name: compact(child) for name, child in kept["properties"].items()}
    if "oneOf" in kept:
        kept["oneOf"] = [compact(child) for child in kept["oneOf"]]
    return kept


def descriptions(node: Node) -> list[Any]:
    """A definition's description and those of its properties; deeper there are none."""
    properties = {
        name: child["description"]
        for name, child in node.get("properties", {}).items()
        if "description" in child
    }
    return [node.get("description", ""), properties]


def _write(path: Path, content: object) -> None:
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    generate(Path(__file__).resolve().parent.parent / TARGET)
