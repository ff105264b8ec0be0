"""What a configuration may say, in kube-scheduler's words, with the field."""

from pathlib import Path

import pytest

from argosy.scheduler.config.reading import ConfigError, content, parsed

HEAD = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"

REFUSED = [
    ("", "Object 'Kind' is missing: it is no KubeSchedulerConfiguration of kubescheduler"),
    ("[1]", "Object 'Kind' is missing"),
    ("kind: 7", "Object 'Kind' is missing"),
    ("kind: KubeSchedulerConfiguration", "Object 'apiVersion' is missing"),
    (
        "apiVersion: kubescheduler.config.k8s.io/v1beta3\nkind: KubeSchedulerConfiguration",
        'no kind "KubeSchedulerConfiguration" is registered for version '
        '"kubescheduler.config.k8s.io/v1beta3"',
    ),
    (HEAD + "foo: 1", 'strict decoding error: unknown field "foo"'),
    (HEAD + "healthzBindAddress: x", 'strict decoding error: unknown field "healthzBindAddress"'),
    (
        HEAD + "profiles: [{plugins: {score: {enabled: [{name: x, wieght: 1}]}}}]",
        'strict decoding error: unknown field "profiles[0].plugins.score.enabled[0].wieght"',
    ),
    (HEAD + "parallelism: many", "parallelism: Invalid value: expected int, got str"),
    (HEAD + "parallelism: 3000000000", "parallelism: Invalid value: expected int <= 2147483647"),
    (HEAD + "profiles: {}", "profiles: Invalid value: expected array, got object"),
    (
        HEAD + "parallelism: 0",
        "parallelism: Invalid value: 0: should be an integer value greater than zero",
    ),
    (
        HEAD + "podInitialBackoffSeconds: 0",
        "podInitialBackoffSeconds: Invalid value: 0: must be greater than 0",
    ),
    (
        HEAD + "podInitialBackoffSeconds: 11",
        "podMaxBackoffSeconds: Invalid value: 10: must be greater than or equal to "
        "PodInitialBackoffSeconds",
    ),
    (
        HEAD + "percentageOfNodesToScore: 101",
        "percentageOfNodesToScore: Invalid value: 101: not in valid range [0-100]",
    ),
    (
        HEAD + "profiles: [{percentageOfNodesToScore: -1}]",
        "profiles[0].percentageOfNodesToScore: Invalid value: -1: not in valid range [0-100]",
    ),
    (
        HEAD + "clientConnection: {burst: -3}",
        "clientConnection.burst: Invalid value: -3: must be non-negative",
    ),
    (HEAD + 'profiles: [{schedulerName: ""}]', "profiles[0].schedulerName: Required value"),
    (
        HEAD + "profiles: [{schedulerName: a}, {}]",
        "profiles[1].schedulerName: Required value",
    ),
    (
        HEAD + "profiles: [{schedulerName: a}, {schedulerName: a}]",
        'profiles[1].schedulerName: Duplicate value: "profiles[0].schedulerName"',
    ),
    (
        HEAD + "profiles: [{plugins: {filter: {enabled: [{name: EBSLimits}]}}}]",
        'profiles[0].plugins.filter.enabled[0]: Invalid value: "EBSLimits": was invalid in version '
        '"kubescheduler.config.k8s.io/v1" (KubeSchedulerConfiguration is version '
        '"kubescheduler.config.k8s.io/v1")',
    ),
    (
        HEAD + "profiles: [{plugins: {score: {enabled: [{name: NodeAffinity, weight: -1}]}}}]",
        "profiles[0].plugins.score.enabled[0].weight: Invalid value: -1: must not be negative",
    ),
    (
        HEAD + "profiles: [{pluginConfig: [{name: A}, {name: A}]}]",
        'profiles[0].pluginConfig[1]: Duplicate value: "A"',
    ),
    (
        HEAD + "profiles:\n- schedulerName: a\n- schedulerName: b\n"
        "  plugins: {queueSort: {enabled: [{name: Mine}]}}",
        "profiles[1].plugins.queueSort: Invalid value: ",
    ),
    (
        HEAD + "profiles: [{plugins: {queueSort: {enabled: [{name: A}, {name: B}]}}}]",
        "profiles[0].plugins.queueSort.Enabled: Invalid value: 2: only one queue sort plugin can",
    ),
    (
        HEAD + "leaderElection: {leaseDuration: 5s}",
        'leaderElection.leaseDuration: Invalid value: "10s": must be greater than `RenewDeadline`',
    ),
    (
        HEAD + "leaderElection: {retryPeriod: 0s}",
        'leaderElection.retryPeriod: Invalid value: "0s": must be greater than zero',
    ),
    (
        HEAD + "leaderElection: {leaderElect: false, retryPeriod: soon}",
        'leaderElection.retryPeriod: Invalid value: "soon": time: invalid duration "soon"',
    ),
    (
        HEAD + "leaderElection: {resourceLock: endpoints}",
        'leaderElection.resourceLock: Invalid value: "endpoints": resourceLock value must be '
        '"leases"',
    ),
    (
        HEAD + "extenders: [{urlPrefix: 'http://a', prioritizeVerb: p}]",
        "extenders[0].weight: Invalid value: 0: must have a positive weight applied to it",
    ),
    (
        HEAD + "extenders: [{urlPrefix: 'http://a', weight: 3000000000}]",
        "extenders[0].weight: Invalid value: 3000000000: must not be greater than",
    ),
    (HEAD + "extenders: [{urlPrefix: a}]", 'extenders[0].urlPrefix: Invalid value: "a": must be a'),
    (
        HEAD + "extenders: [{urlPrefix: 'http://a', httpTimeout: -1s}]",
        'extenders[0].httpTimeout: Invalid value: "-1s": must not be negative',
    ),
    (
        HEAD + "extenders:\n- {urlPrefix: 'http://a', bindVerb: b}\n"
        "- {urlPrefix: 'http://b', bindVerb: b}",
        'extenders: Invalid value: "found 2 extenders implementing bind": only one extender can',
    ),
    (
        HEAD + "extenders: [{urlPrefix: 'http://a', managedResources: [{name: cpu}]}]",
        'extenders[0].managedResources[0].name: Invalid value: "cpu": is an invalid extended',
    ),
    (
        HEAD + "extenders: [{urlPrefix: 'http://a', managedResources: [{name: a/b/c}]}]",
        'extenders[0].managedResources[0].name: Invalid value: "a/b/c": a valid label key',
    ),
    (
        HEAD + "extenders:\n- {urlPrefix: 'http://a', managedResources: [{name: x.io/a}]}\n"
        "- {urlPrefix: 'http://b', managedResources: [{name: x.io/a}]}",
        'extenders[1].managedResources[0].name: Invalid value: "x.io/a": duplicate extender',
    ),
]


@pytest.mark.parametrize(("text", "told"), REFUSED)
def test_mistakes(text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parsed(text.encode())
    assert str(caught.value).startswith(told)
    assert "Scheduler Configuration" in caught.value.hint


def test_all_that_is_wrong_is_told_at_once() -> None:
    text = HEAD + "parallelism: 0\npodInitialBackoffSeconds: -1\nextenders: [{urlPrefix: x}]"
    with pytest.raises(ConfigError) as caught:
        parsed(text.encode())
    told = str(caught.value)
    assert told.startswith("[parallelism: ") and told.endswith("]")
    for field in ("podInitialBackoffSeconds", "extenders[0].urlPrefix"):
        assert f", {field}: Invalid value" in told


def test_what_is_left_out_has_kube_schedulers_values() -> None:
    found = parsed(HEAD.encode())
    assert (found.parallelism, found.percentage_of_nodes_to_score) == (16, None)
    assert (found.pod_initial_backoff_seconds, found.pod_max_backoff_seconds) == (1, 10)
    assert (found.profiles, found.extenders) == ((), ())


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file or directory"):
        content(tmp_path / "none.yaml")
