"""What a claim asks for, read from its spec and its device classes; the rest is refused by name.

Understood: `exactly` with ExactCount. Selectors of the plainest form, `device.driver == "…"`, are
told apart, because they need no engine and name devices in messages.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from argosy.api.dra import (
    DeviceClass,
    DeviceRequest,
    DeviceSelector,
    ExactDeviceRequest,
    ResourceClaim,
    plain_driver,
)
from argosy.base import quantity
from argosy.scheduler.dra.inventory import Offer

MOST_DEVICES = 32
"""More can't be written into one allocation."""

NOT_SUPPORTED = "not supported"


class RefusedError(Exception):
    """The claim asks for what can't be given; the text has the field's path."""


@dataclass(frozen=True, slots=True)
class Need:
    """One device. `drivers` None: of any driver. `label` says whose it is, for messages.

    `selectors` are expressions that all must mean it.
    """

    request: str
    index: int
    label: str
    drivers: frozenset[str] | None
    capacities: Mapping[str, Decimal] = field(default_factory=dict)
    selectors: tuple[str, ...] = ()

    def wants(self, offer: Offer) -> bool:
        """Whether the device will do, as far as selectors go. Raises CelError."""
        if self.drivers is not None and offer.id.driver not in self.drivers:
            return False
        return all(offer.meets(expression) for expression in self.selectors)


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
    drivers, selectors = _selected(exactly.selectors, path)
    try:
        of_class, more = _selected(device_class.spec.selectors, "spec")
    except RefusedError as error:
        text = f'deviceclass "{exactly.device_class_name}": {error}'
        raise _refused(f"{path}.deviceClassName", text) from error
    if drivers is None or of_class is None:
        chosen = of_class if drivers is None else drivers
    else:
        chosen = drivers & of_class
    capacities = _capacities(exactly, path)
    label = ", ".join(sorted(chosen or ())) or exactly.device_class_name
    both = (*more, *selectors)
    return [Need(name, index, label, chosen, capacities, both) for index in range(exactly.count)]


def _selected(
    selectors: tuple[DeviceSelector, ...], path: str
) -> tuple[frozenset[str] | None, tuple[str, ...]]:
    """The drivers that plain selectors leave (None for any, empty for none), and the others."""
    left: frozenset[str] | None = None
    others = []
    for index, selector in enumerate(selectors):
        expression = selector.cel.expression if selector.cel else ""
        if (named := plain_driver(expression)) is None:
            _compiled(expression, f"{path}.selectors[{index}].cel.expression")
            others.append(expression)
            continue
        driver = frozenset({named})
        left = driver if left is None else left & driver
    return left, tuple(others)


def _compiled(expression: str, path: str) -> None:
    """Raises RefusedError for what can't be asked of a device."""
    from argosy.api.cel.devices import SelectorError, selector  # seldom, and large

    try:
        selector(expression)
    except SelectorError as error:
        raise _refused(path, str(error)) from error


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
