"""Priority: a pod's number comes from its class, or from the class that is everybody's default.

Nobody writes the number themselves, and nobody makes a second default.
"""

from argosy.api.resources.scheduling import PRIORITY_CLASS
from argosy.apiserver.admission.rule import Attributes, Json
from argosy.apiserver.admission.views import Views

DEFAULT = {"name": "", "value": 0, "preemptionPolicy": "PreemptLowerPriority"}
"""What counts where no class is the default."""
PREFIX = PRIORITY_CLASS.key()
COMPUTED = ("priority", "preemptionPolicy")


class Priority:
    """The rules of pods and of priority classes, which share what they know of classes."""

    def __init__(self) -> None:
        self._classes = Views(_class)

    def set_priority(self, attributes: Attributes) -> None:
        """Give a new pod the priority of its class; one that is there keeps its own."""
        spec = attributes.new["spec"]
        if attributes.old is not None:
            for field in COMPUTED:
                if spec.get(field) is None and attributes.old["spec"].get(field) is not None:
                    spec[field] = attributes.old["spec"][field]
            return
        found = self._of(attributes, spec.get("priorityClassName") or "")
        if found["name"]:
            spec["priorityClassName"] = found["name"]
        _agree(attributes, spec, found)
        spec["priority"] = found["value"]
        if found["preemptionPolicy"]:
            spec["preemptionPolicy"] = found["preemptionPolicy"]

    def one_default(self, attributes: Attributes) -> None:
        """Refuse a class that would be the second default."""
        if not attributes.new.get("globalDefault"):
            return
        default = self._default(attributes)
        name = default["name"]
        if name and (attributes.old is None or name != attributes.new["metadata"]["name"]):
            raise attributes.refusal(
                f"PriorityClass {name} is already marked as default. Only one default can exist"
            )

    def _of(self, attributes: Attributes, name: str) -> Json:
        if not name:
            return self._default(attributes)
        record = attributes.look(PRIORITY_CLASS.key(name=name))
        if record is None:
            raise attributes.refusal(f"no PriorityClass with name {name} was found")
        return self._classes.of(record)

    def _default(self, attributes: Attributes) -> Json:
        default = None
        for record in attributes.items(PREFIX):
            one = self._classes.of(record)
            if one["globalDefault"] and (default is None or one["value"] < default["value"]):
                default = one
        return DEFAULT if default is None else default


def _class(obj: Json) -> Json:
    return {
        "name": obj["metadata"]["name"],
        "value": obj.get("value") or 0,
        "preemptionPolicy": obj.get("preemptionPolicy") or "",
        "globalDefault": bool(obj.get("globalDefault")),
    }


def _agree(attributes: Attributes, spec: Json, found: Json) -> None:
    """What the pod says itself must be what comes out. Raises StatusError 403."""
    given, value = spec.get("priority"), found["value"]
    if given is not None and given != value:
        raise attributes.refusal(
            f"the integer value of priority ({given}) must not be provided in pod spec; priority "
            f"admission controller computed {value} from the given PriorityClass name"
        )
    given, policy = spec.get("preemptionPolicy"), found["preemptionPolicy"]
    if given and policy and given != policy:
        raise attributes.refusal(
            f"the string value of PreemptionPolicy ({given}) must not be provided in pod spec; "
            f"priority admission controller computed {policy} from the given PriorityClass name"
        )
