"""Views of dynamic resource allocation (`resource.k8s.io/v1`). Source: KEP-4381, KEP-5075."""

import re
from typing import ClassVar, Final

import msgspec

from argosy.api.meta import Object, View
from argosy.api.resource import Resource
from argosy.api.resources import scheduling as table

Quantity = str | int | float
Attribute = dict[str, str | int | bool | list[str | int | bool]]
_PLAIN: Final = re.compile(r"""\s*device\.driver\s*==\s*(?:"([^"\\\n]+)"|'([^'\\\n]+)')\s*""")


def plain_driver(expression: str) -> str | None:
    """The driver that the commonest selector names, `device.driver == "…"`; None for any other.

    Nobody needs the engine for expressions to read it.
    """
    found = _PLAIN.fullmatch(expression)
    return None if found is None else found[1] or found[2]


class CELSelector(View, frozen=True, kw_only=True):
    """A rule on devices."""

    expression: str = ""


class DeviceSelector(View, frozen=True, kw_only=True):
    """One rule; CEL is the only form there is."""

    cel: CELSelector | None = None


class CapacityRequirements(View, frozen=True, kw_only=True):
    """How much of each capacity is asked for."""

    requests: dict[str, Quantity] = {}


class ExactDeviceRequest(View, frozen=True, kw_only=True):
    """Devices of one class."""

    device_class_name: str = ""
    selectors: tuple[DeviceSelector, ...] = ()
    allocation_mode: str = "ExactCount"
    count: int = 1
    admin_access: bool = False
    tolerations: tuple[msgspec.Raw, ...] = ()
    capacity: CapacityRequirements = CapacityRequirements()


class DeviceRequest(View, frozen=True, kw_only=True):
    """One request of a claim."""

    name: str
    exactly: ExactDeviceRequest | None = None
    first_available: tuple[msgspec.Raw, ...] = ()


class DeviceClaim(View, frozen=True, kw_only=True):
    """All that a claim asks for."""

    requests: tuple[DeviceRequest, ...] = ()
    constraints: tuple[msgspec.Raw, ...] = ()
    config: tuple[msgspec.Raw, ...] = ()


class ClaimSpec(View, frozen=True, kw_only=True):
    """What is asked for."""

    devices: DeviceClaim = DeviceClaim()


class DeviceResult(View, frozen=True, kw_only=True):
    """One device, or a share of it, that was given."""

    request: str
    driver: str
    pool: str
    device: str
    share_id: str = msgspec.field(name="shareID", default="")
    consumed_capacity: dict[str, Quantity] = {}


class DeviceAllocation(View, frozen=True, kw_only=True):
    """All devices that were given."""

    results: tuple[DeviceResult, ...] = ()


class Allocation(View, frozen=True, kw_only=True):
    """What was given."""

    devices: DeviceAllocation = DeviceAllocation()


class Consumer(View, frozen=True, kw_only=True):
    """Who may use the claim."""

    resource: str = ""
    name: str = ""
    uid: str = ""


class ClaimStatus(View, frozen=True, kw_only=True):
    """What was given, and to whom."""

    allocation: Allocation | None = None
    reserved_for: tuple[Consumer, ...] = ()


class ResourceClaim(Object, frozen=True, kw_only=True):
    """A wish for devices, and what became of it."""

    resource: ClassVar[Resource] = table.RESOURCE_CLAIM

    spec: ClaimSpec = ClaimSpec()
    status: ClaimStatus = ClaimStatus()


class ResourceClaimTemplate(Object, frozen=True, kw_only=True):
    """From which each pod gets a claim of its own. `spec` stays plain: it is copied."""

    resource: ClassVar[Resource] = table.RESOURCE_CLAIM_TEMPLATE

    spec: msgspec.Raw = msgspec.Raw(b"{}")


class DeviceClassSpec(View, frozen=True, kw_only=True):
    """Which devices belong to the class."""

    selectors: tuple[DeviceSelector, ...] = ()


class DeviceClass(Object, frozen=True, kw_only=True):
    """A named set of devices."""

    resource: ClassVar[Resource] = table.DEVICE_CLASS

    spec: DeviceClassSpec = DeviceClassSpec()


class DeviceCapacity(View, frozen=True, kw_only=True):
    """How much a device has of something. `request_policy` rounds and defaults requests."""

    value: Quantity
    request_policy: "RequestPolicy | None" = None


class ValidRange(View, frozen=True, kw_only=True):
    """Requests are rounded up to `min` plus whole steps."""

    min: Quantity | None = None
    max: Quantity | None = None
    step: Quantity | None = None


class RequestPolicy(View, frozen=True, kw_only=True):
    """How a request on a shared device is read."""

    default: Quantity | None = None
    valid_values: tuple[Quantity, ...] = ()
    valid_range: ValidRange | None = None


class Device(View, frozen=True, kw_only=True):
    """One device of a slice."""

    name: str
    attributes: dict[str, Attribute] = {}
    capacity: dict[str, DeviceCapacity] = {}
    allow_multiple_allocations: bool = False


class Pool(View, frozen=True, kw_only=True):
    """Slices of the newest generation count."""

    name: str = ""
    generation: int = 0
    resource_slice_count: int = 0


class SliceSpec(View, frozen=True, kw_only=True):
    """Devices that a driver offers."""

    driver: str = ""
    node_name: str = ""
    pool: Pool = Pool()
    devices: tuple[Device, ...] = ()


class ResourceSlice(Object, frozen=True, kw_only=True):
    """A part of what a driver offers on a node."""

    resource: ClassVar[Resource] = table.RESOURCE_SLICE

    spec: SliceSpec = SliceSpec()
