"""What a pod may see and do, asked from within a pod."""

from pathlib import Path

from tests.e2e.kit import REPOSITORY, Cluster, Json, host_pod, phase, says

LOOK = """
ask() {{ if "$@" >/dev/null 2>&1; then echo "yes $*"; else echo "no $*"; fi; }}
ask cat {data}/kubeconfig
ask ls {data}/store
ask cat {data}/pki/ca.key
ask ls /var/lib
ask cat /etc/shadow
ask touch /usr/planted
ask sh -c 'echo x >> /etc/passwd'
ask touch {code}/planted
ask sh -c 'echo x > /proc/sys/kernel/hostname'
ask kill -0 {pid}
ask ls /proc/{pid}/root/
ask touch /tmp/mine
ask python -c 'import argosy'
echo first process: $(tr '\\0' ' ' < /proc/1/cmdline)
echo processes: $(ls /proc | grep -c '^[0-9]*$')
echo host: $(hostname)
grep CapEff /proc/self/status
"""


def seen_by(cluster: Cluster, namespace: str) -> list[str]:
    code = REPOSITORY / "src" / "argosy"
    script = LOOK.format(data=cluster.data, code=code, pid=cluster.pid)
    cluster.apply(host_pod("look", script), namespace)
    cluster.until("Pod", "look", namespace, phase("Succeeded"))
    return cluster.logs("look", namespace).splitlines()


def test_a_pod_sees_neither_the_clusters_data_nor_other_processes(
    cluster: Cluster, namespace: str
) -> None:
    (cluster.data / "kubeconfig").read_text()  # out here it can be read
    seen = seen_by(cluster, namespace)
    answers = {line for line in seen if line.startswith(("yes ", "no "))}
    assert {line for line in answers if line.startswith("yes ")} == {
        "yes touch /tmp/mine",
        "yes python -c import argosy",
    }
    assert len(answers) == 13
    facts = dict(line.split(":", 1) for line in seen if line not in answers)
    assert "bwrap" in facts["first process"]
    assert int(facts["processes"]) <= 6  # bubblewrap's, the shell, and what counts here
    assert facts["host"] == " look"
    assert int(facts["CapEff"], 16) == 0
    assert not Path("/usr/planted").exists()


def test_a_host_path_does_not_lead_to_the_clusters_data(cluster: Cluster, namespace: str) -> None:
    mounted = host_pod("thief", "cat /loot/kubeconfig")
    _mount(mounted, {"hostPath": {"path": str(cluster.data)}}, at="/loot")
    cluster.apply(mounted, namespace)
    told = f"hostPath {cluster.data} reaches the cluster's own data in"
    pod = cluster.until("Pod", "thief", namespace, says(told))
    assert pod["status"]["phase"] == "Pending"


def test_pods_do_not_see_each_others_files_or_processes(cluster: Cluster, namespace: str) -> None:
    keeper = host_pod("keeper", "echo hidden > /tmp/secret; exec -a unmistakable sleep 60")
    keeper["spec"]["containers"][0]["command"][0] = "bash"
    cluster.apply(keeper, namespace)
    cluster.until("Pod", "keeper", namespace, phase("Running"))
    cluster.apply(host_pod("spy", "cat /tmp/secret; cat /proc/*/cmdline; exit 0"), namespace)
    cluster.until("Pod", "spy", namespace, phase("Succeeded"))
    told = cluster.logs("spy", namespace)
    assert "cannot" in told or "No such file" in told
    assert "unmistakable" not in told


def _mount(pod: Json, volume: Json, *, at: str) -> None:
    pod["spec"]["volumes"] = [{"name": "it", **volume}]
    pod["spec"]["containers"][0]["volumeMounts"] = [{"name": "it", "mountPath": at}]
