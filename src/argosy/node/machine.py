"""What this machine is, as a Node object tells it."""

import os
import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from argosy.base.clock import timestamp

VERSION = "v1.37.0+argosy"
MOST_PODS = 110
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_MACHINE_ID = Path("/etc/machine-id")
_ARCHITECTURES: Mapping[str, str] = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm"}
_PRESSURES = {
    "MemoryPressure": ("KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    "DiskPressure": ("KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("KubeletHasSufficientPID", "kubelet has sufficient PID available"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What does not change while the node runs; sizes in bytes."""

    cpus: int
    memory: int
    disk: int
    architecture: str
    info: Mapping[str, str]


def facts(folder: Path) -> Facts:
    """Look at this machine; `folder` lies on the disk that pods use."""
    system = platform.uname()
    architecture = _ARCHITECTURES.get(system.machine, system.machine)
    return Facts(
        cpus=len(os.sched_getaffinity(0)),
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        disk=shutil.disk_usage(folder).total,
        architecture=architecture,
        info={
            "architecture": architecture,
            "bootID": _first_line(_BOOT_ID),
            "containerRuntimeVersion": "host://1",
            "kernelVersion": system.release,
            "kubeProxyVersion": "",
            "kubeletVersion": VERSION,
            "machineID": _first_line(_MACHINE_ID),
            "operatingSystem": "linux",
            "osImage": _os_name(),
            "systemUUID": _first_line(_MACHINE_ID),
        },
    )


def node_object(name: str, known: Facts) -> dict[str, Any]:
    """The Node as the agent applies it."""
    labels = {
        "kubernetes.io/arch": known.architecture,
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
    }
    return {"metadata": {"name": name, "labels": labels}}


def node_status(
    name: str, known: Facts, *, address: str, now: datetime, since: datetime, stopping: bool = False
) -> dict[str, Any]:
    """The Node's status. `since`: when it last became ready, or ceased to be."""
    amounts = {
        "cpu": str(known.cpus),
        "ephemeral-storage": str(known.disk),
        "memory": f"{known.memory // 1024}Ki",
        "pods": str(MOST_PODS),
    }
    ready = ("KubeletReady", "kubelet is posting ready status")
    if stopping:
        ready = ("KubeletNotReady", "node is shutting down")
    conditions = [("Ready", str(not stopping), *ready)]
    conditions += [(kind, "False", *why) for kind, why in _PRESSURES.items()]
    return {
        "metadata": {"name": name},
        "status": {
            "addresses": [
                {"type": "InternalIP", "address": address},
                {"type": "Hostname", "address": name},
            ],
            "allocatable": amounts,
            "capacity": amounts,
            "conditions": [
                {
                    "type": kind,
                    "status": status,
                    "reason": reason,
                    "message": message,
                    "lastHeartbeatTime": timestamp(now),
                    "lastTransitionTime": timestamp(since),
                }
                for kind, status, reason, message in conditions
            ],
            "nodeInfo": dict(known.info),
        },
    }


def _first_line(path: Path) -> str:
    try:
        return path.read_text().partition("\n")[0].strip()
    except OSError:
        return ""


def _os_name() -> str:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return "Linux"
    return release.get("PRETTY_NAME", "Linux")
