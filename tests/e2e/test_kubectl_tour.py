"""A scripted tour of a stock kubectl's commands: each that needs no controller of workloads.

`test_kubectl` follows what runs; this tour looks at what is stored, and at what commands print.
"""

import json
import re
from typing import Any

import pytest
import yaml

from tests.e2e.kit import Cluster, Json, host_pod, phase, until
from tests.e2e.kubectl import Kubectl


def stored(kubectl: Kubectl, *what: str) -> Json:
    found: Json = json.loads(kubectl.ok("get", *what, "-o", "json"))
    return found


def config_map(name: str = "conf", **meta: Any) -> Json:
    head = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **meta}}
    return {**head, "data": {"color": "red"}}


@pytest.fixture
def conf(kubectl: Kubectl) -> Kubectl:
    """A ConfigMap called `conf` is there, applied by the client."""
    kubectl.ok("apply", "-f", "-", stdin=config_map())
    return kubectl


@pytest.fixture
def web(kubectl: Kubectl) -> Kubectl:
    """A Deployment called `web` is there."""
    kubectl.ok("create", "deployment", "web", "--image=any", "--replicas=1")
    return kubectl


def test_which_kubectl_this_is(kubectl: Kubectl, capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(kubectl.ok("version", "-o", "json"))
    with capsys.disabled():
        print(f"\nkubectl {told['clientVersion']['gitVersion']} is the newest on this machine")
    assert re.fullmatch(r"v1\.\d+\.\d+.*", told["serverVersion"]["gitVersion"])
    assert "is running at" in kubectl.ok("cluster-info")


CREATED = {
    "configmap one --from-literal=a=b": ("cm/one", "{.data.a}", "b"),
    "secret generic one --from-literal=a=b": ("secret/one", "{.data.a}", "Yg=="),
    "serviceaccount one": ("sa/one", "{.metadata.name}", "one"),
    "deployment one --image=any --replicas=3": ("deploy/one", "{.spec.replicas}", "3"),
    "job one --image=any": ("job/one", "{.spec.completionMode}", "NonIndexed"),
    "cronjob one --image=any --schedule=@daily": ("cj/one", "{.spec.schedule}", "@daily"),
    "service clusterip one --tcp=80": ("svc/one", "{.spec.ports[0].port}", "80"),
    "service externalname one --external-name=a.b": ("svc/one", "{.spec.externalName}", "a.b"),
    "ingress one --rule=a.b/*=one:80": ("ing/one", "{.spec.rules[0].host}", "a.b"),
    "role one --verb=get --resource=pods": ("role/one", "{.rules[0].verbs[0]}", "get"),
    "rolebinding one --role=one --user=u": ("rolebinding/one", "{.subjects[0].name}", "u"),
    "quota one --hard=pods=3": ("quota/one", "{.spec.hard.pods}", "3"),
    "poddisruptionbudget one --selector=a=b --min-available=1": (
        "pdb/one",
        "{.spec.minAvailable}",
        "1",
    ),
}


@pytest.mark.parametrize("command", CREATED)
def test_create(kubectl: Kubectl, command: str) -> None:
    what, path, value = CREATED[command]
    assert "created" in kubectl.ok("create", *command.split())
    assert kubectl.ok("get", what, "-o", f"jsonpath={path}") == value
    again = kubectl("create", *command.split())
    assert again.code == 1 and "already exists" in again.err
    plan = kubectl.ok("create", *command.split(), "--dry-run=client", "-o", "yaml")
    assert yaml.safe_load(plan)["metadata"]["name"] == "one"


def test_create_a_token(kubectl: Kubectl) -> None:
    kubectl.ok("create", "serviceaccount", "robot")
    token = kubectl.ok("create", "token", "robot").strip()
    assert len(token.split(".")) == 3
    who = kubectl.ok("auth", "whoami", f"--token={token}", "-o", "yaml")
    assert f"system:serviceaccount:{kubectl.namespace}:robot" in who


def test_run_expose_and_autoscale(web: Kubectl) -> None:
    web.ok("run", "single", "--image=any", "--labels=run=single", "--port=80")
    assert "single" in web.ok("expose", "pod", "single", "--port=80", "--cluster-ip=None")
    web.ok("autoscale", "deployment", "web", "--min=1", "--max=3", "--cpu-percent=50")
    assert stored(web, "hpa/web")["spec"]["maxReplicas"] == 3
    web.ok("set", "image", "deployment/web", "any=other")
    web.ok("set", "env", "deployment/web", "COLOR=red")
    web.ok("set", "resources", "deployment/web", "--limits=cpu=1")
    (container,) = stored(web, "deploy/web")["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "other" and container["env"] == [{"name": "COLOR", "value": "red"}]
    assert container["resources"] == {"limits": {"cpu": "1"}}


# changes


def test_edit(conf: Kubectl) -> None:
    edited = conf.ok("edit", "cm", "conf", editor="sed -i s/red/blue/")
    assert "configmap/conf edited" in edited
    assert stored(conf, "cm/conf")["data"] == {"color": "blue"}
    assert "no changes" in conf("edit", "cm", "conf", editor="true").err
    wrong = conf("edit", "cm", "conf", editor="sed -i s/color:/col!r:/")
    assert wrong.code == 1 and 'configmaps "conf" is invalid' in wrong.err


def test_diff(conf: Kubectl) -> None:
    same = conf("diff", "-f", "-", stdin=config_map())
    assert (same.code, same.out) == (0, "")
    wanted = {**config_map(), "data": {"color": "blue"}}
    for how in ((), ("--server-side", "--force-conflicts")):
        other = conf("diff", *how, "-f", "-", stdin=wanted)
        assert other.code == 1
        assert "-  color: red" in other.out and "+  color: blue" in other.out
    assert stored(conf, "cm/conf")["data"] == {"color": "red"}


def test_from_client_side_to_server_side_apply(conf: Kubectl) -> None:
    conf.ok("apply", "--server-side", "-f", "-", stdin={**config_map(), "data": {"size": "1"}})
    assert stored(conf, "cm/conf")["data"] == {"size": "1"}
    shown = conf.ok("get", "cm", "conf", "--show-managed-fields", "-o", "yaml")
    managers = yaml.safe_load(shown)["metadata"]["managedFields"]
    assert "kubectl" in {entry["manager"] for entry in managers}
    assert {entry["operation"] for entry in managers} == {"Apply"}


def test_label_and_annotate(conf: Kubectl) -> None:
    conf.ok("label", "cm", "conf", "tier=back", "gone=soon")
    refused = conf("label", "cm", "conf", "tier=front")
    assert refused.code == 1 and "'tier' already has a value (back)" in refused.err
    conf.ok("label", "cm", "conf", "tier=front", "gone-", "--overwrite")
    conf.ok("annotate", "cm", "--all", "note=a b")
    meta = stored(conf, "cm/conf")["metadata"]
    assert meta["labels"] == {"tier": "front"} and meta["annotations"]["note"] == "a b"
    assert "conf" in conf.ok("get", "cm", "-l", "tier in (front),!gone")
    assert conf.ok("get", "cm", "-l", "tier=front", "-L", "tier").split()[-1] == "front"
    wrong = conf("label", "cm", "conf", "a=-b", "--overwrite")
    assert wrong.code == 1 and "a valid label" in wrong.err


PATCHES = {
    "json": '[{"op": "add", "path": "/spec/template/spec/containers/-", "value": %s}]',
    "merge": '{"spec": {"template": {"spec": {"containers": [%s]}}}}',
    "strategic": '{"spec": {"template": {"spec": {"containers": [%s]}}}}',
}


@pytest.mark.parametrize("kind", PATCHES)
def test_patch(web: Kubectl, kind: str) -> None:
    second = '{"name": "second", "image": "b"}'
    assert "patched" in web.ok(
        "patch", "deploy/web", f"--type={kind}", "-p", PATCHES[kind] % second
    )
    containers = stored(web, "deploy/web")["spec"]["template"]["spec"]["containers"]
    expected = ["second"] if kind == "merge" else ["any", "second"]
    assert sorted(item["name"] for item in containers) == expected
    assert "no change" in web.ok("patch", "deploy/web", "--type=merge", "-p", "{}")


def test_patch_a_status(web: Kubectl) -> None:
    patch = '{"status": {"replicas": 7}}'
    replicas = ("-o", "jsonpath={.status.replicas}")
    shown = web.ok(
        "patch", "deploy/web", "--subresource=status", "--type=merge", "-p", patch, *replicas
    )
    assert shown == "7"  # its controller will say otherwise
    shown = web.ok("get", "deploy/web", "--subresource=status", *replicas)
    assert shown.isdigit()


def test_replace(conf: Kubectl) -> None:
    before = stored(conf, "cm/conf")
    conf.ok("replace", "-f", "-", stdin={**config_map(), "data": {"a": "b"}})
    assert stored(conf, "cm/conf")["data"] == {"a": "b"}
    stale = conf("replace", "-f", "-", stdin=before)
    assert stale.code == 1 and "the object has been modified" in stale.err
    conf.ok("replace", "--force", "-f", "-", stdin=config_map())
    assert stored(conf, "cm/conf")["metadata"]["uid"] != before["metadata"]["uid"]


def test_scale(web: Kubectl) -> None:
    assert "scaled" in web.ok("scale", "deployment/web", "--replicas=4")
    assert stored(web, "deploy/web")["spec"]["replicas"] == 4
    refused = web("scale", "deployment/web", "--current-replicas=9", "--replicas=1")
    assert refused.code == 1 and "9" in refused.err
    shown = web.ok("get", "deploy/web", "--subresource=scale", "-o", "jsonpath={.spec.replicas}")
    assert shown == "4"
    assert "scaled" in web.ok("scale", "deployment", "--all", "--replicas=0")


# reading


def test_every_output(conf: Kubectl) -> None:
    expected = stored(conf, "cm/conf")
    assert yaml.safe_load(conf.ok("get", "cm/conf", "-o", "yaml")) == expected
    outputs = {
        "name": "configmap/conf\n",
        "jsonpath={.data.color}": "red",
        "go-template={{.data.color}}": "red",
        "jsonpath-as-json={.data}": '[\n    {\n        "color": "red"\n    }\n]\n',
        "custom-columns=N:.metadata.name,C:.data.color": "N      C\nconf   red\n",
    }
    for output, text in outputs.items():
        assert conf.ok("get", "cm/conf", "-o", output) == text, output
    header, row = conf.ok("get", "cm/conf", "-o", "wide").splitlines()
    assert header.split() == ["NAME", "DATA", "AGE"] and row.split()[:2] == ["conf", "1"]


def test_lists(kubectl: Kubectl) -> None:
    for name in ("b", "a", "c"):
        kubectl.ok("create", "cm", name, f"--from-literal=key={name}")
    listed = kubectl.ok("get", "cm", "--sort-by={.data.key}", "-o", "name", "--chunk-size=1")
    assert [line for line in listed.split() if len(line) == len("configmap/a")] == [
        "configmap/a",
        "configmap/b",
        "configmap/c",
    ]
    assert kubectl.ok("get", "cm", "--field-selector=metadata.name=b", "-o", "name").split() == [
        "configmap/b"
    ]
    both = kubectl.ok("get", "cm/a", "cm/b", "--ignore-not-found", "cm/none", "-o", "name")
    assert both.split() == ["configmap/a", "configmap/b"]
    assert "events.k8s.io" not in kubectl.ok("get", "all")
    assert kubectl.ok("describe", "cm", "a").startswith("Name:         a\n")


def test_explain_and_resources(kubectl: Kubectl) -> None:
    text = kubectl.ok("explain", "deployment.spec.strategy", "--recursive")
    assert "rollingUpdate" in text and "maxSurge" in text
    assert "FIELD: containers" in kubectl.ok("explain", "pods.spec.containers")
    unknown = kubectl("explain", "pods.spec.nothing")
    assert unknown.code == 1 and "does not exist" in unknown.err
    apps = kubectl.ok("api-resources", "--api-group=apps", "-o", "name").split()
    assert sorted(apps) == [
        f"{name}.apps"
        for name in (
            "controllerrevisions",
            "daemonsets",
            "deployments",
            "replicasets",
            "statefulsets",
        )
    ]
    wide = kubectl.ok("api-resources", "--verbs=list,watch", "--namespaced=false", "-o", "wide")
    assert "nodes" in wide and "create,delete,deletecollection,get,list,patch,update,watch" in wide


def test_who_may_what(kubectl: Kubectl) -> None:
    assert kubectl.ok("auth", "can-i", "create", "pods") == "yes\n"
    assert kubectl.ok("auth", "can-i", "delete", "nodes", "--all-namespaces").endswith("yes\n")
    robot = f"--as=system:serviceaccount:{kubectl.namespace}:robot"
    refused = kubectl("auth", "can-i", "create", "pods", robot)
    assert (refused.code, refused.out.split()[0]) == (1, "no")
    assert "system:masters" in kubectl.ok("auth", "whoami")
    assert "*.*" in kubectl.ok("auth", "can-i", "--list")


# waiting


def test_wait(kubectl: Kubectl, cluster: Cluster, namespace: str) -> None:
    kubectl.ok("apply", "-f", "-", stdin=host_pod("talk", "sleep 60"))
    cluster.until("Pod", "talk", namespace, phase("Running"))
    kubectl.ok("wait", "--for=condition=Ready", "pod/talk", "--timeout=20s")
    kubectl.ok("wait", "--for=jsonpath={.status.phase}=Running", "pod/talk", "--timeout=10s")
    late = kubectl("wait", "--for=condition=Never", "pod/talk", "--timeout=1s")
    assert late.code == 1 and "timed out waiting for the condition" in late.err
    kubectl.ok("delete", "pod", "talk", "--wait=false", "--grace-period=1")
    kubectl.ok("wait", "--for=delete", "pod/talk", "--timeout=20s")
    assert kubectl("get", "pod", "talk").code == 1


# deleting


def family(kubectl: Kubectl) -> None:
    """An owner, and one that it owns."""
    kubectl.ok("create", "-f", "-", stdin=config_map("owner"))
    uid = stored(kubectl, "cm/owner")["metadata"]["uid"]
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid}
    owned = config_map("owned", ownerReferences=[{**owner, "blockOwnerDeletion": True}])
    kubectl.ok("create", "-f", "-", stdin=owned)


def gone(kubectl: Kubectl, what: str) -> None:
    until(lambda: kubectl("get", what).code == 1 or None, told=lambda: kubectl("get", what))


@pytest.mark.parametrize("cascade", ["background", "foreground"])
def test_delete_takes_what_is_owned(kubectl: Kubectl, cascade: str) -> None:
    family(kubectl)
    assert 'configmap "owner" deleted' in kubectl.ok("delete", "cm/owner", f"--cascade={cascade}")
    assert kubectl("get", "cm/owner").code == 1
    if cascade == "foreground":
        assert kubectl("get", "cm/owned").code == 1, "the owner goes last"
    gone(kubectl, "cm/owned")


def test_delete_leaves_orphans(kubectl: Kubectl) -> None:
    family(kubectl)
    kubectl.ok("delete", "cm/owner", "--cascade=orphan")
    gone(kubectl, "cm/owner")
    assert "ownerReferences" not in stored(kubectl, "cm/owned")["metadata"]


def test_delete_many(kubectl: Kubectl) -> None:
    for name in ("a", "b", "c"):
        kubectl.ok("create", "-f", "-", stdin=config_map(name, labels={"set": name}))
    plan = kubectl.ok("delete", "cm", "-l", "set", "--dry-run=server")
    assert plan.count("deleted (server dry run)") == 3
    kubectl.ok("delete", "cm", "-l", "set in (a,b)")
    assert kubectl.ok("get", "cm", "-l", "set", "-o", "name") == "configmap/c\n"
    kubectl.ok("delete", "cm", "--all")
    assert kubectl("get", "cm/c").code == 1


def test_delete_a_namespace(kubectl: Kubectl) -> None:
    name = f"{kubectl.namespace}-more"
    kubectl.ok("create", "namespace", name)
    kubectl.ok("create", "cm", "inside", f"--namespace={name}")
    kubectl.ok("delete", "namespace", name, "--timeout=30s")
    assert kubectl("get", "namespace", name).code == 1
    refused = kubectl("delete", "namespace", "default")
    assert refused.code == 1 and "(Forbidden)" in refused.err
