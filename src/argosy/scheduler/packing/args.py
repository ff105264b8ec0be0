"""What `GPUPacking` is told by a profile: the policy, and which pods are typical.

Without typical pods it learns them from those that come, and packs the first ones knowing little.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from argosy.base.errors import FieldError, invalid_value, not_supported, required, too_many
from argosy.base.quantity import milli
from argosy.scheduler.packing.columns import MILLI, Demand
from argosy.scheduler.packing.policies import POLICIES
from argosy.scheduler.packing.traces import MOST, MOST_DEVICES, Typical
from argosy.scheduler.pluginargs import Args, Int64, read, refuse

DEFAULT_POLICY: Final = "argosy"
MOST_SHAPES: Final = 256
MOST_PARTS: Final = 10**9


class TypicalPod(Args, frozen=True, kw_only=True):
    """A shape: its CPU, how many GPUs, how much of each, and how frequent it is beside others."""

    cpu: str | int | float = 0
    gpus: Int64 = 0
    gpu_milli: Int64 | None = None
    models: tuple[str, ...] = ()
    share: Int64 = 0


class PackingArgs(Args, frozen=True, kw_only=True):
    """The arguments."""

    policy: str = DEFAULT_POLICY
    typical_pods: tuple[TypicalPod, ...] = ()


def told(args: Mapping[str, Any]) -> tuple[str, Sequence[Typical]]:
    """The policy's name and the typical pods. Raises ValueError that begins with a field's path."""
    given = read(args, PackingArgs)
    refuse(_faults(given))
    parts = sum(pod.share for pod in given.typical_pods)
    return given.policy, [Typical(_demand(pod), pod.share / parts) for pod in given.typical_pods]


def _demand(pod: TypicalPod) -> Demand:
    each = MILLI if pod.gpu_milli is None else pod.gpu_milli
    models = frozenset(pod.models)
    return Demand(milli(pod.cpu), 0, pod.gpus, each if pod.gpus else 0, models)


def _faults(given: PackingArgs) -> Iterator[FieldError]:
    if given.policy not in POLICIES:
        yield not_supported("policy", given.policy, list(POLICIES))
    if len(given.typical_pods) > MOST_SHAPES:
        yield too_many("typicalPods", len(given.typical_pods), MOST_SHAPES)
        return
    for index, pod in enumerate(given.typical_pods):
        yield from _wrong(pod, f"typicalPods[{index}]")


def _wrong(pod: TypicalPod, path: str) -> Iterator[FieldError]:
    yield from _wrong_cpu(pod.cpu, f"{path}.cpu")
    bounds = (
        ("gpus", pod.gpus, 0, MOST_DEVICES),
        ("gpuMilli", MILLI if pod.gpu_milli is None else pod.gpu_milli, 1, MILLI),
    )
    for name, value, least, most in bounds:
        if not least <= value <= most:
            yield invalid_value(f"{path}.{name}", value, f"not in valid range [{least}, {most}]")
    if not pod.gpus and (pod.gpu_milli is not None or pod.models):
        yield required(f"{path}.gpus", "gpuMilli and models are those of GPUs")
    if not pod.share:
        yield required(f"{path}.share", "how frequent such pods are beside the others")
    elif not 0 < pod.share <= MOST_PARTS:
        yield invalid_value(f"{path}.share", pod.share, f"not in valid range [1, {MOST_PARTS}]")


def _wrong_cpu(cpu: str | int | float, path: str) -> Iterator[FieldError]:
    try:
        amount = milli(cpu)
    except ValueError as error:
        yield invalid_value(path, cpu, str(error))
        return
    if not 0 <= amount <= MOST:
        yield invalid_value(path, cpu, f"not in valid range [0, {MOST // 1000}]")
