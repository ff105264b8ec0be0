"""KubeSchedulerConfiguration: the file that says how a scheduler decides, as kube-scheduler's."""
