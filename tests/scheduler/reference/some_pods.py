"""Random pods, made of few words so that their rules meet; `clusters.py` puts them on nodes."""

from random import Random
from typing import Any

from tests.scheduler.reference.kit import HOSTNAME, ZONE, Labels, Object, labels_of

NAMESPACES = {"default": {"team": "red"}, "blue": {"team": "blue", "env": "prod"}, "bare": {}}
RACK = "example.com/rack"
KEYS = [HOSTNAME, ZONE, ZONE, RACK, RACK, "disk"]
APPS, TIERS = ["web", "db", "job"], ["front", "back"]
GPU, PAGES = "example.com/gpu", "hugepages-2Mi"
IMAGES = ["registry/web:1", "registry/db", "registry/big:2", "registry/huge:latest"]
_WHEN = "2026-01-01T00:00:00Z"
_HARD = "requiredDuringSchedulingIgnoredDuringExecution"
_SOFT = "preferredDuringSchedulingIgnoredDuringExecution"


def often(random: Random, share: float) -> bool:
    return random.random() < share


def some(random: Random, values: list[Any], least: int = 0, most: int = 2) -> list[Any]:
    """A few of the values, each at most once, in their order."""
    chosen = random.sample(range(len(values)), min(len(values), random.randint(least, most)))
    return [values[i] for i in sorted(chosen)]


def some_pod(random: Random, name: str, *, share: float) -> Object:
    """A pod that has each of the features with about that probability."""
    spec: Object = {
        "containers": [_container(random, f"c{i}", share) for i in range(random.choice([1, 1, 2]))],
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
    }
    if often(random, share * 0.6):
        spec["initContainers"] = [_init(random, i, share) for i in range(random.randint(1, 3))]
    if often(random, share * 0.3):
        spec["overhead"] = {"cpu": "50m", "memory": "32Mi"}
    if often(random, share * 0.3):
        spec["resources"] = {"requests": _requests(random, ["cpu", "memory"])}
    if often(random, share):
        spec["tolerations"] = [_toleration(random) for _ in range(random.randint(1, 3))]
    if often(random, share * 0.5):
        spec["nodeSelector"] = dict(
            some(random, [("disk", "ssd"), (ZONE, "z1"), ("size", "3")], least=1, most=1)
        )
    if affinity := _affinity(random, share):
        spec["affinity"] = affinity
    if often(random, share * 1.5):
        spec["topologySpreadConstraints"] = _constraints(random)
    pod: Object = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": random.choice(["default", "default", "blue", "bare"]),
            "uid": f"uid-{name}",
            "creationTimestamp": _WHEN,
            "labels": some_labels(random),
        },
        "spec": spec,
        "status": {"phase": "Pending"},
    }
    _features(random, spec, share)
    return admitted(pod, spread=often(random, 0.5))


def some_labels(random: Random) -> Labels:
    return {
        **({"app": random.choice(APPS)} if often(random, 0.9) else {}),
        **({"tier": random.choice(TIERS)} if often(random, 0.5) else {}),
        **({"rev": random.choice("12")} if often(random, 0.4) else {}),
    }


def _requests(random: Random, names: list[str]) -> Labels:
    sizes = {
        "cpu": ["0", "1m", "100m", "250m", "0.5", "1", "1500m"],
        "memory": ["0", "64Mi", "200Mi", "500M", "1Gi"],
        "ephemeral-storage": ["1Gi", "3Gi"],
        GPU: ["0", "1", "2"],
        PAGES: ["2Mi", "8Mi"],
    }
    return {name: random.choice(sizes[name]) for name in some(random, names, most=len(names))}


def _container(random: Random, name: str, share: float) -> Object:
    names = ["cpu", "memory"]
    names += [n for n in ("ephemeral-storage", GPU, PAGES) if often(random, share * 0.5)]
    container: Object = {
        "name": name,
        "image": random.choice([*IMAGES, "registry/db:latest", "elsewhere:5000/none"]),
        "resources": {},
    }
    if requests := _requests(random, names):
        container["resources"] = {"requests": requests}
    if often(random, share * 0.7):
        container["ports"] = [_port(random) for _ in range(random.randint(1, 2))]
    return container


def _init(random: Random, index: int, share: float) -> Object:
    container = _container(random, f"i{index}", share)
    if often(random, 0.5):
        container["restartPolicy"] = "Always"
    return container


def _port(random: Random) -> Object:
    port: Object = {
        "containerPort": random.choice([80, 443]),
        "protocol": random.choice(["TCP", "TCP", "UDP"]),
    }
    if often(random, 0.9):
        port["hostPort"] = port["containerPort"]
    if often(random, 0.4):
        port["hostIP"] = random.choice(["127.0.0.1", "10.0.0.1", "0.0.0.0"])
    return port


def _toleration(random: Random) -> Object:
    toleration: Object = {"operator": random.choice(["Exists", "Equal", "Equal", "Gt"])}
    if toleration["operator"] != "Exists" or often(random, 0.8):
        keys = ["dedicated", "slow", "node.kubernetes.io/unschedulable"]
        toleration["key"] = random.choice(keys)
    if toleration["operator"] != "Exists":
        toleration["value"] = random.choice(["1", "2"])
    if often(random, 0.6):
        toleration["effect"] = random.choice(["NoSchedule", "NoExecute", "PreferNoSchedule"])
    return toleration


def _affinity(random: Random, share: float) -> Object:
    affinity: Object = {}
    if often(random, share):
        affinity["nodeAffinity"] = _node_affinity(random)
    for kind in ("podAffinity", "podAntiAffinity"):
        if not often(random, share * 0.8):
            continue
        terms: Object = {}
        if often(random, 0.6):
            terms[_HARD] = [_pod_term(random) for _ in range(random.choice([1, 1, 2]))]
        if often(random, 0.6):
            terms[_SOFT] = [
                {"weight": random.choice([1, 10, 29, 100]), "podAffinityTerm": _pod_term(random)}
                for _ in range(random.randint(1, 2))
            ]
        affinity[kind] = terms
    return affinity


def _node_affinity(random: Random) -> Object:
    affinity: Object = {}
    if often(random, 0.6):
        terms = [_node_term(random) for _ in range(random.randint(1, 2))]
        affinity[_HARD] = {"nodeSelectorTerms": terms}
    if often(random, 0.7):
        affinity[_SOFT] = [
            {"weight": random.choice([1, 7, 50, 100]), "preference": _node_term(random)}
            for _ in range(random.randint(1, 3))
        ]
    return affinity


def _node_term(random: Random) -> Object:
    term: Object = {}
    lines = [_node_line(random) for _ in range(random.choice([0, 1, 1, 1, 2]))]
    if lines:
        term["matchExpressions"] = lines
    if often(random, 0.15):
        operator, node = random.choice(["In", "NotIn"]), f"n{random.randint(0, 3)}"
        term["matchFields"] = [{"key": "metadata.name", "operator": operator, "values": [node]}]
    return term


def _node_line(random: Random) -> Object:
    if often(random, 0.3):
        bound = random.choice(["2", "4", "04"])
        return {"key": "size", "operator": random.choice(["Gt", "Lt"]), "values": [bound]}
    key, values = random.choice([("disk", ["ssd", "hdd"]), (ZONE, ["z1", "z2"]), (RACK, ["r1"])])
    operator = random.choice(["In", "In", "NotIn", "Exists", "DoesNotExist"])
    line: Object = {"key": key, "operator": operator}
    if operator in ("In", "NotIn"):
        line["values"] = some(random, values, least=1)
    return line


def some_selector(random: Random) -> Object | None:
    """Of pods: mostly by `app`, at times empty, at times none."""
    if often(random, 0.05):
        return None
    if often(random, 0.07):
        return {}
    if often(random, 0.6):
        return {"matchLabels": {"app": random.choice(APPS)}}
    operator = random.choice(["In", "NotIn", "Exists", "DoesNotExist"])
    line: Object = {"key": random.choice(["app", "tier"]), "operator": operator}
    if operator in ("In", "NotIn"):
        line["values"] = some(random, APPS + TIERS, least=1, most=3)
    return {"matchExpressions": [line]}


def _pod_term(random: Random) -> Object:
    term: Object = {"topologyKey": random.choice(KEYS)}
    selector = some_selector(random)
    if selector is not None:
        term["labelSelector"] = selector
        if often(random, 0.15):
            term[random.choice(["matchLabelKeys", "mismatchLabelKeys"])] = ["rev"]
    if often(random, 0.2):
        term["namespaces"] = some(random, list(NAMESPACES), least=1)
    if often(random, 0.25):
        term["namespaceSelector"] = random.choice(
            [
                {},
                {"matchLabels": {"team": "blue"}},
                {"matchExpressions": [{"key": "team", "operator": "Exists"}]},
                {"matchExpressions": [{"key": "env", "operator": "DoesNotExist"}]},
            ]
        )
    return term


def _constraints(random: Random) -> list[Object]:
    """Key and action are unique among a pod's constraints."""
    pairs = {
        (random.choice(KEYS), random.choice(["DoNotSchedule", "ScheduleAnyway"]))
        for _ in range(random.randint(1, 3))
    }
    return [_constraint(random, key, action) for key, action in sorted(pairs)]


def _constraint(random: Random, key: str, action: str) -> Object:
    constraint: Object = {
        "maxSkew": random.choice([1, 1, 1, 2, 3]),
        "topologyKey": key,
        "whenUnsatisfiable": action,
    }
    selector = some_selector(random)
    if selector is not None:
        constraint["labelSelector"] = selector
        if often(random, 0.2):
            constraint["matchLabelKeys"] = ["rev"]
    if action == "DoNotSchedule" and often(random, 0.3):
        constraint["minDomains"] = random.randint(1, 4)
    for policy in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
        if often(random, 0.4):
            constraint[policy] = random.choice(["Honor", "Ignore"])
    return constraint


def _features(random: Random, spec: Object, share: float) -> None:
    """What asks a node for a declared feature."""
    if often(random, share * 0.2):
        spec["hostNetwork"], spec["hostUsers"] = True, often(random, 0.3)
    if often(random, share * 0.2):
        rule = {"action": random.choice(["RestartAllContainers", "Restart"])}
        spec["containers"][0]["restartPolicyRules"] = [{**rule, "exitCodes": {"operator": "In"}}]


def admitted(pod: Object, *, spread: bool = True) -> Object:
    """The pod after admission, which merges the pod's own values of label keys into selectors."""
    own = labels_of(pod)
    affinity = pod["spec"].get("affinity") or {}
    for kind in ("podAffinity", "podAntiAffinity"):
        terms = affinity.get(kind) or {}
        soft = [each["podAffinityTerm"] for each in terms.get(_SOFT, [])]
        for term in [*terms.get(_HARD, []), *soft]:
            _merge(term, own, "matchLabelKeys", "In")
            _merge(term, own, "mismatchLabelKeys", "NotIn")
    for constraint in pod["spec"].get("topologySpreadConstraints") or []:
        if spread:
            _merge(constraint, own, "matchLabelKeys", "In")
    return pod


def _merge(term: Object, own: Labels, field: str, operator: str) -> None:
    for key in term.get(field) or []:
        if key in own:
            selector = dict(term["labelSelector"])
            line = {"key": key, "operator": operator, "values": [own[key]]}
            selector["matchExpressions"] = [*selector.get("matchExpressions", []), line]
            term["labelSelector"] = selector
