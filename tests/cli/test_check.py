"""`argosy check pods`, as it is typed."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from argosy.cli.main import app
from tests.security.podsecurity.pods import hardened

Json = dict[str, Any]
POD: Json = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": hardened()}
SHARED: Json = {**POD, "spec": hardened(hostPID=True)}
FOUND = "hostNamespaces: host namespaces (hostPID=true)"
JOB: Json = {
    "apiVersion": "batch/v1",
    "kind": "CronJob",
    "metadata": {"name": "nightly", "namespace": "shop"},
    "spec": {
        "schedule": "* * * * *",
        "jobTemplate": {"spec": {"template": {"spec": hardened(hostPID=True)}}},
    },
}
SERVICE: Json = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}


def argosy(*arguments: str, given: str = "") -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    done = CliRunner().invoke(app, ["check", "pods", *arguments], input=given)
    return done.exit_code, done.stdout, done.stderr


def stream(*objects: Json) -> str:
    return "\n---\n".join(json.dumps(one) for one in objects)


def test_what_fits_ends_well() -> None:
    code, out, err = argosy("-f", "-", given=stream(POD, SERVICE))

    assert (code, out) == (0, "")
    assert err == "1 with pods, none violates restricted:latest\n"


def test_what_does_not_fit_is_data_and_ends_with_a_hint() -> None:
    code, out, err = argosy("-f", "-", given=stream(POD, SHARED, JOB, SERVICE))

    assert code == 1
    assert out == f"Pod web\n  {FOUND}\nCronJob nightly in shop\n  {FOUND}\n"
    first, last = err.splitlines()
    assert first == "error: 2 of 3 with pods violate restricted:latest"
    assert last.startswith("hint: ")


def test_programs_get_json(tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    file.write_text(stream({"apiVersion": "v1", "kind": "List", "items": [SHARED, POD]}))
    code, out, _ = argosy("--filename", str(file), "-o", "json", "--level", "baseline")

    assert code == 1
    violation = {"check": "hostNamespaces", "reason": "host namespaces", "detail": "hostPID=true"}
    one = {"kind": "Pod", "namespace": "", "name": "web"}
    assert json.loads(out) == {
        "standard": "baseline:latest",
        "objects": [{**one, "violations": [violation]}, {**one, "violations": []}],
    }


def test_level_and_version_are_chosen() -> None:
    root: Json = {**POD, "spec": {"containers": [{"name": "a", "image": "b"}]}}
    for level, version, code in (
        ("privileged", "latest", 0),
        ("baseline", "latest", 0),
        ("restricted", "v1.0", 1),
    ):
        assert (
            argosy(*("-f", "-", "--level", level, "--version", version), given=stream(root))[0]
            == code
        )


def test_a_volume_without_a_source_is_an_empty_folder() -> None:
    volumes = {**POD, "spec": hardened(volumes=[{"name": "data"}])}
    assert argosy("-f", "-", given=stream(volumes))[0] == 0


def test_several_files_are_one(tmp_path: Path) -> None:
    for name, obj in (("a", POD), ("b", SHARED)):
        (tmp_path / name).write_text(stream(obj))
    code, _, err = argosy("-f", str(tmp_path / "a"), "-f", str(tmp_path / "b"))

    assert (code, "1 of 2 with pods" in err) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        (("-f", "/no/such/file"), ""),
        (("-f", "-"), "a: [1"),
        (("-f", "-"), "- 1"),
        (("-f", "-"), stream({**POD, "spec": {"containers": 5}})),
        (("-f", "-"), stream({**POD, "spec": {"hostPID": "yes", "containers": []}})),
        (("-f", "-"), stream({**POD, "metadata": {"annotations": {"a": 1}}})),
        (("-f", "-", "--level", "strict"), ""),
        (("-f", "-", "--version", "1.30"), ""),
        (("-f", "-", "-o", "yaml"), ""),
    ],
)
def test_what_cannot_be_understood_ends_with_two(arguments: tuple[str, ...], given: str) -> None:
    code, out, err = argosy(*arguments, given=given)

    assert (code, out) == (2, "")
    assert err.splitlines()[0].startswith("error: ")
    assert err.splitlines()[-1].startswith("hint: ")


def test_objects_of_other_groups_are_passed_over() -> None:
    other = {**JOB, "apiVersion": "example.com/v1"}
    assert argosy("-f", "-", given=stream(other))[0] == 0
