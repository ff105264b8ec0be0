"""The extenders of a configuration: what is asked of whom, and by which certificates."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from argosy.http.tls import ensure_certificates
from argosy.scheduler.config.reading import ConfigError, parsed
from argosy.scheduler.config.setup import made
from argosy.scheduler.extenders.extender import Extender
from argosy.scheduler.plugins.table import PLUGINS
from argosy.testing.clock import FakeClock

HEAD = {
    "apiVersion": "kubescheduler.config.k8s.io/v1",
    "kind": "KubeSchedulerConfiguration",
}


def setup(*extenders: Any) -> Any:
    body = msgspec.json.encode({**HEAD, "extenders": extenders})
    return made(parsed(body), FakeClock())


def extender(**fields: Any) -> Extender:
    (found,) = setup({"urlPrefix": "https://a.example/x/", **fields}).extenders
    assert isinstance(found, Extender)
    return found


def test_upstreams_example() -> None:
    found = extender(
        filterVerb="filter",
        prioritizeVerb="prioritize",
        bindVerb="bind",
        weight=5,
        nodeCacheCapable=True,
        enableHTTPS=True,
        httpTimeout="1m30s",
        ignorable=True,
        managedResources=[{"name": "example.com/foo", "ignoredByScheduler": True}],
    )
    assert found.access.server == "https://a.example/x"
    assert (found.filter_verb, found.prioritize_verb, found.bind_verb) == (
        "filter",
        "prioritize",
        "bind",
    )
    assert (found.weight, found.seconds, found.by_name, found.ignorable) == (5, 90.0, True, True)
    assert found.managed == {"example.com/foo"}
    assert found.access.insecure


def test_what_is_left_out() -> None:
    found = extender()
    assert (found.filter_verb, found.seconds, found.by_name) == ("", 5.0, False)
    assert not found.access.insecure and not found.managed
    assert extender(httpTimeout="0s").seconds == 5.0


def test_certificates_come_from_files(tmp_path: Path) -> None:
    pair = ensure_certificates(tmp_path, ["localhost"], FakeClock().now())
    (tmp_path / "authority").write_bytes(pair.ca_pem)
    found = extender(
        enableHTTPS=True,
        tlsConfig={
            "caFile": str(tmp_path / "authority"),
            "certFile": str(pair.cert_file),
            "keyFile": str(pair.key_file),
            "serverName": "other",
        },
    )
    assert found.access.ca.encode() == pair.ca_pem
    assert found.access.key == pair.key_file.read_bytes()
    assert found.access.server_name == "other" and not found.access.insecure


REFUSED: list[tuple[dict[str, Any], str]] = [
    (
        {"tlsConfig": {"caFile": "/nowhere/ca"}},
        "extenders[0].tlsConfig.caFile: reading /nowhere/ca: No such file or directory",
    ),
    (
        {"tlsConfig": {"caData": "bm8gUEVN"}},
        "extenders[0].tlsConfig: certificate-authority: not as PEM has them: ",
    ),
    (
        {"tlsConfig": {"certData": "bm8gUEVN"}},
        "extenders[0].tlsConfig: certificate and key must be specified together",
    ),
    (
        {"tlsConfig": {"insecure": True, "caData": "bm8gUEVN"}},
        "extenders[0].tlsConfig: specifying a root certificates file with the insecure flag is "
        "not allowed",
    ),
    ({"tlsConfig": {"caData": "%"}}, "extenders[0].tlsConfig.caData: Invalid value: "),
    ({"urlPrefix": "http://"}, "extenders[0].urlPrefix: Invalid value: 'http://': it has no host"),
    ({"urlPrefix": "http://[x"}, "extenders[0].urlPrefix: Invalid value: 'http://[x': it has no"),
    ({"urlPrefix": "http://a:99999"}, "extenders[0].urlPrefix: Invalid value: 'http://a:99999'"),
    ({"urlPrefix": "http://a:0"}, "extenders[0].urlPrefix: Invalid value: 'http://a:0'"),
    (
        {"tlsConfig": {"keyFile": "/x\0y"}},
        "extenders[0].tlsConfig.keyFile: reading '/x\\x00y': embedded null byte",
    ),
]


@pytest.mark.parametrize(("fields", "told"), REFUSED)
def test_mistakes(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        extender(**fields)
    assert str(caught.value).startswith(told)


def test_a_resource_that_the_scheduler_is_not_to_count() -> None:
    managed = [{"name": "example.com/foo", "ignoredByScheduler": True}]
    found = setup({"urlPrefix": "http://a", "managedResources": managed})
    (profile,) = found.profiles
    (fit,) = (plugin for plugin in profile.plugins if plugin.name == "NodeResourcesFit")
    assert fit not in PLUGINS


@pytest.mark.parametrize("own", [5, "example.com/bar", {"example.com/bar": 1}])
def test_what_a_profile_ignores_must_be_a_list_beside_it_too(own: Any) -> None:
    managed = [{"name": "example.com/foo", "ignoredByScheduler": True}]
    config = {"name": "NodeResourcesFit", "args": {"ignoredResources": own}}
    fields = {
        "extenders": [{"urlPrefix": "http://a", "managedResources": managed}],
        "profiles": [{"pluginConfig": [config]}],
    }
    with pytest.raises(ConfigError) as caught:
        made(parsed(msgspec.json.encode({**HEAD, **fields})), FakeClock())
    told = "profiles[0].pluginConfig[0].args.ignoredResources: Invalid value: expected array"
    assert str(caught.value).startswith(told)
