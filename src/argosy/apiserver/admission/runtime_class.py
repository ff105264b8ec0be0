"""RuntimeClass: a pod names a class that is there, and gets its overhead and where it may run."""

from argosy.api.amounts import parsed
from argosy.api.resources.scheduling import RUNTIME_CLASS
from argosy.apiserver.admission.rule import Attributes, Json
from argosy.apiserver.admission.tolerations import merged
from argosy.apiserver.admission.views import Views

MISMATCH = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
UNASKED = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"


class RuntimeClasses:
    """The rules of both phases."""

    def __init__(self) -> None:
        self._classes = Views(lambda obj: obj)

    def complete(self, attributes: Attributes) -> None:
        """Give the pod what its class demands."""
        spec = attributes.new["spec"]
        found = self._of(attributes, spec)
        if overhead := _overhead(found):
            if spec.get("overhead") and not _same(spec["overhead"], overhead):
                raise attributes.refusal(MISMATCH)
            spec["overhead"] = dict(overhead)
        if scheduling := found.get("scheduling"):
            _place(attributes, spec, scheduling)

    def check(self, attributes: Attributes) -> None:
        """The overhead must still be that of the class."""
        spec = attributes.new["spec"]
        overhead = _overhead(self._of(attributes, spec))
        if overhead and not _same(spec.get("overhead") or {}, overhead):
            raise attributes.refusal(MISMATCH)
        if not overhead and spec.get("overhead") is not None:
            raise attributes.refusal(UNASKED)

    def _of(self, attributes: Attributes, spec: Json) -> Json:
        name = spec.get("runtimeClassName")
        if not name:
            return {}
        record = attributes.look(RUNTIME_CLASS.key(name=name))
        if record is None:
            raise attributes.refusal(f'pod rejected: RuntimeClass "{name}" not found')
        return self._classes.of(record)


def _overhead(found: Json) -> Json:
    return (found.get("overhead") or {}).get("podFixed") or {}


def _same(one: Json, other: Json) -> bool:
    try:
        return parsed(one) == parsed(other)
    except ValueError:  # of the pod's: its kind's rules, which come later, would say so too
        return False


def _place(attributes: Attributes, spec: Json, scheduling: Json) -> None:
    selector = dict(spec.get("nodeSelector") or {})
    for key, value in (scheduling.get("nodeSelector") or {}).items():
        if selector.setdefault(key, value) != value:
            raise attributes.refusal(
                f"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; "
                f"pod.spec.nodeSelector[{key}] = {selector[key]}"
            )
    if selector:
        spec["nodeSelector"] = selector
    if demanded := scheduling.get("tolerations"):
        spec["tolerations"] = merged([*(spec.get("tolerations") or ()), *demanded])
