"""What a Prometheus reads of a running cluster: the controllers' metrics beside the server's."""

from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.kit import Cluster, until

Sample = tuple[str, ...]


def samples(cluster: Cluster) -> dict[Sample, float]:
    """All samples of `/metrics`, by name and values of labels."""
    text = cluster.call("GET", "/metrics")
    families = list(text_string_to_metric_families(text))
    names = [family.name for family in families]
    assert sorted(set(names)) == sorted(names)  # a family that is there twice is malformed
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def test_the_controllers_count_in_the_servers_own_metrics(cluster: Cluster) -> None:
    def found() -> dict[Sample, float] | None:
        told = samples(cluster)
        key = ("controller_runtime_reconcile_total", "controllers/namespaces", "success")
        return told if told.get(key) else None

    told = until(found)
    assert told[("rest_client_requests_total", "200", "GET", "")] > 0
    depth = [name for name in told if name[0] == "workqueue_depth"]
    workers = [name for name in told if name[0] == "controller_runtime_max_concurrent_reconciles"]
    assert len(depth) >= len(workers) > 30
