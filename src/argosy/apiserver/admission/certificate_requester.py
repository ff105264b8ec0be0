"""Who asks for a certificate is written into the request, whatever it says of that itself.

Upstream does it where the object is made ready, behind all that may change it; so is this.
"""

from argosy.apiserver.admission.rule import Attributes


def requester(attributes: Attributes) -> None:
    """Set the user's name, uid, groups and extras."""
    spec, user = attributes.new["spec"], attributes.user
    told = {
        "username": user.name,
        "uid": user.uid,
        "groups": list(user.groups),
        "extra": {key: list(values) for key, values in user.extra.items()},
    }
    for name, value in told.items():
        spec.pop(name, None)
        if value:
            spec[name] = value
