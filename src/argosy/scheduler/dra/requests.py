"""What a claim asks for, read from its spec and its device classes; the rest is refused by name.

Understood: `exactly` with ExactCount and one form of selector, `device.driver == "…"`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from argosy.api.dra import (
    DeviceClass,
    DeviceRequest,
    DeviceSelector,
    ExactDeviceRequest,
    ResourceClaim,
)
from argosy.base import quantity

MOST_DEVICES = 32
"""More can't be written into one allocation."""

_DRIVER = re.compile(r"""\s*device\.driver\s*==\s*(?:"([^"\\]+)"|'([^'\\]+)')\s*""")
NOT_SUPPORTED = "not supported"


class RefusedError(Exception):
    """The claim asks for what can't be given; the text has the field's path."""


@dataclass(frozen=True, slots=True)
class Need:
    """One device. `drivers` None: of any driver. `label` says whose it is, for messages."""

    request: str
    index: int
    label: str
    drivers: frozenset[str] | None
    capacities: Mapping[str, Decimal] = field(default_factory=dict)

    def wants(self, driver: str) -> bool:
        """Whether a device of `driver` will do."""
        return self.drivers is None or driver in self.drivers


def needs_of(claim: ResourceClaim, classes: Mapping[str, DeviceClass]) -> tuple[Need, ...]:
    """Every device that `claim` asks for. Raises RefusedError."""
    try:
        return _needs(claim, classes)
    except RefusedError as error:
        raise RefusedError(f'resourceclaim "{claim.metadata.name}": {error}') from error


def _needs(claim: ResourceClaim, classes: Mapping[str, DeviceClass]) -> tuple[Need, ...]:
    devices = claim.spec.devices
    for name, given in (("constraints", devices.constraints), ("config", devices.config)):
        if given:
            raise _refused(f"spec.devices.{name}")
    if not devices.requests:
        raise _refused("spec.devices.requests", "a claim without requests is not supported")
    needs: list[Need] = []
    for index, request in enumerate(devices.requests):
        path = f"spec.devices.requests[{index}]"
        exactly = _exactly(request, path)
        if len(needs) + exactly.count > MOST_DEVICES:
            raise _refused(path, f"more than {MOST_DEVICES} devices in one claim")
        needs += _needs_of_request(request.name, exactly, classes, path)
    return tuple(needs)


def _exactly(request: DeviceRequest, path: str) -> ExactDeviceRequest:
    if request.first_available:
        raise _refused(f"{path}.firstAvailable")
    if request.exactly is None:
        raise _refused(path)
    exactly = request.exactly
    path = f"{path}.exactly"
    if exactly.allocation_mode != "ExactCount":
        raise _refused(f"{path}.allocationMode", f'"{exactly.allocation_mode}" is not supported')
    if exactly.admin_access:
        raise _refused(f"{path}.adminAccess")
    if exactly.tolerations:
        raise _refused(f"{path}.tolerations")
    if exactly.count < 1:
        raise _refused(f"{path}.count", "must be greater than zero")
    return exactly


def _needs_of_request(
    name: str, exactly: ExactDeviceRequest, classes: Mapping[str, DeviceClass], path: str
) -> list[Need]:
    path = f"{path}.exactly"
    device_class = classes.get(exactly.device_class_name)
    if device_class is None:
        text = f'device class "{exactly.device_class_name}" does not exist'
        raise _refused(f"{path}.deviceClassName", text)
    drivers = _drivers(exactly.selectors, path)
    try:
        of_class = _drivers(device_class.spec.selectors, "spec")
    except RefusedError as error:
        text = f'deviceclass "{exactly.device_class_name}": {error}'
        raise _refused(f"{path}.deviceClassName", text) from error
    if drivers is None or of_class is None:
        chosen = of_class if drivers is None else drivers
    else:
        chosen = drivers & of_class
    capacities = _capacities(exactly, path)
    label = ", ".join(sorted(chosen or ())) or exactly.device_class_name
    return [Need(name, index, label, chosen, capacities) for index in range(exactly.count)]


def _drivers(selectors: tuple[DeviceSelector, ...], path: str) -> frozenset[str] | None:
    """The drivers that all selectors leave: None for any, empty for none."""
    left: frozenset[str] | None = None
    for index, selector in enumerate(selectors):
        expression = selector.cel.expression if selector.cel else ""
        match = _DRIVER.fullmatch(expression)
        if match is None:
            raise _refused(
                f"{path}.selectors[{index}].cel.expression",
                'not supported; the only form is device.driver == "…"',
            )
        driver = frozenset({match[1] or match[2]})
        left = driver if left is None else left & driver
    return left


def _capacities(exactly: ExactDeviceRequest, path: str) -> dict[str, Decimal]:
    found = {}
    for name, asked in exactly.capacity.requests.items():
        try:
            found[name] = quantity.parse(asked)
        except ValueError as error:
            raise _refused(f"{path}.capacity.requests[{name}]", str(error)) from error
    return found


def _refused(path: str, text: str = NOT_SUPPORTED) -> RefusedError:
    return RefusedError(f"{path}: {text}")
