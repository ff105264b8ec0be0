"""Why a container can't start: what its `waiting` state and a Warning event will say."""


class Refusal(Exception):
    """`reason` is CamelCase, as Kubernetes' own; `message` is for the pod's owner."""

    def __init__(self, reason: str, message: str, *, event: str = "Failed") -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.event = event
