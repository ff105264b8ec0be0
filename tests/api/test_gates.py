"""Feature gates: what they are in which minor, and who may say what of them."""

import pytest

from argosy.api.builtin import minors
from argosy.api.gates import OPENED, Gates, Step, gate, known, names


def test_a_gate_grows_up() -> None:
    bundle = gate("ClusterTrustBundle")
    assert bundle.at("1.26") is None
    assert bundle.at("1.27") == bundle.at("1.32") == Step("1.27", "Alpha", False)
    assert bundle.at("1.33") == Step("1.33", "Beta", False)
    assert bundle.at("1.37") == Step("1.37", "GA", True, locked=True)
    assert gate("DRADeviceTaintRules").needs == ("DRADeviceTaints",)
    assert not known("NoSuchGate")
    with pytest.raises(KeyError):
        gate("NoSuchGate")


@pytest.mark.parametrize("name", names())
def test_each_line_is_sound(name: str) -> None:
    steps = gate(name).steps
    numbers = [int(step.since.split(".")[1]) for step in steps]
    assert numbers == sorted(set(numbers)) and numbers[-1] <= 37
    assert [step.locked for step in steps] == sorted(step.locked for step in steps)
    assert all(known(need) for need in gate(name).needs)


@pytest.mark.parametrize("minor", minors())
def test_the_defaults_of_each_minor_hang_together(minor: str) -> None:
    assert Gates(minor).complaints() == []
    everything = Gates(minor, {"AllAlpha": True, "AllBeta": True})
    assert everything.complaints() == []
    assert {name for name, _, is_open in Gates(minor).enabled() if is_open} < {
        name for name, _, is_open in everything.enabled() if is_open
    }


def test_lines_are_in_order() -> None:
    assert list(names()) == sorted(names())
    assert all(known(name) for name in OPENED)


@pytest.mark.parametrize(
    "minor, asked, name, is_open",
    [
        ("1.37", {}, "GenericWorkload", True),
        ("1.34", {}, "GenericWorkload", False),  # it was not there yet
        ("1.34", {}, "DRAConsumableCapacity", True),
        ("1.37", {}, "ContainerStopSignals", False),
        ("1.37", {"ContainerStopSignals": True}, "ContainerStopSignals", True),
        ("1.37", {"AllAlpha": True}, "ContainerStopSignals", True),
        ("1.37", {"AllAlpha": True, "ContainerStopSignals": False}, "ContainerStopSignals", False),
        ("1.37", {"AllBeta": False}, "GenericWorkload", False),
        ("1.37", {"AllBeta": False, "GenericWorkload": True}, "GenericWorkload", True),
        ("1.37", {"AllBeta": False}, "ClusterTrustBundle", True),
        ("1.33", {"AllBeta": True}, "ClusterTrustBundle", True),
        ("1.29", {"AllAlpha": True}, "EnvFiles", False),
    ],
)
def test_what_is_said_counts_more(
    minor: str, asked: dict[str, bool], name: str, is_open: bool
) -> None:
    assert Gates(minor, asked).open(name) is is_open


@pytest.mark.parametrize(
    "minor, asked, words",
    [
        (
            "1.37",
            {"JobManagedBy": False},
            ["cannot set feature gate JobManagedBy to false, feature is locked to true"],
        ),
        ("1.37", {"JobManagedBy": True}, []),
        ("1.34", {"JobManagedBy": False}, []),
        (
            "1.30",
            {"EnvFiles": True},
            [
                "cannot set feature gate EnvFiles to true, "
                "feature is PreAlpha at emulated version 1.30"
            ],
        ),
        (
            "1.37",
            {"CompositePodGroup": True, "TopologyAwareWorkloadScheduling": False},
            [
                "CompositePodGroup is enabled, but depends on features that are disabled: "
                "[TopologyAwareWorkloadScheduling]"
            ],
        ),
        ("1.37", {"CompositePodGroup": True, "TopologyAwareWorkloadScheduling": True}, []),
        ("1.37", {"CompositePodGroup": True}, []),
        ("1.37", {"GenericWorkload": False}, []),
        ("1.37", {"AllBeta": False}, []),
    ],
)
def test_what_may_not_be_asked(minor: str, asked: dict[str, bool], words: list[str]) -> None:
    assert Gates(minor, asked).complaints() == words


def test_old_gates_are_warned_of() -> None:
    asked = {"AllAlpha": False, "EnvFiles": True, "JobManagedBy": True, "KubeProxyIPVS": False}
    assert Gates("1.37", asked).warnings() == [
        "setting GA feature gate JobManagedBy=true. It will be removed in a future release.",
        "setting deprecated feature gate KubeProxyIPVS=false. "
        "It will be removed in a future release.",
    ]


def test_what_metrics_tell() -> None:
    told = Gates("1.33", {"AllBeta": True}).enabled()
    assert {("AllAlpha", "ALPHA", False), ("AllBeta", "BETA", True)} < set(told)
    assert ("ClusterTrustBundle", "BETA", True) in told
    assert ("SidecarContainers", "", True) in told
    assert ("AllowDNSOnlyNodeCSR", "DEPRECATED", False) in told
    assert "EnvFiles" not in {name for name, _, _ in told}
