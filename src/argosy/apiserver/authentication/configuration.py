"""Whose tokens the server takes beside its own: an `AuthenticationConfiguration`, read and checked.

The file is upstream's: v1, v1beta1 or v1alpha1 of `apiserver.config.k8s.io`, YAML or JSON. Fields
that are not known are refused by name; what the others may say is in `configurationfaults`.
Source: Kubernetes' "Authenticating", structured authentication configuration (KEP-3331).
"""

from pathlib import Path
from typing import Any, Final

import msgspec

from argosy.apiserver.configfile import Document, Part, content, converted, refuse
from argosy.base.errors import forbidden_field

VERSIONS: Final = tuple(f"apiserver.config.k8s.io/{name}" for name in ("v1", "v1beta1", "v1alpha1"))
KIND: Final = "AuthenticationConfiguration"


class Issuer(Part, frozen=True, kw_only=True):
    """Who signs tokens, for whom, and how its keys are found. `certificateAuthority` is PEM."""

    url: str = ""
    discovery_url: str = msgspec.field(name="discoveryURL", default="")
    certificate_authority: str = ""
    audiences: tuple[str, ...] = ()
    audience_match_policy: str = ""
    egress_selector_type: str = ""

    @property
    def configuration(self) -> str:
        """Where it says what it is."""
        return (
            self.discovery_url or f"{self.url.removesuffix('/')}/.well-known/openid-configuration"
        )


class ClaimValidationRule(Part, frozen=True, kw_only=True):
    """What a claim must be."""

    claim: str = ""
    required_value: str = ""
    expression: str = ""
    message: str = ""


class PrefixedClaim(Part, frozen=True, kw_only=True):
    """A claim whose value, behind a prefix, is taken."""

    claim: str = ""
    prefix: str | None = None
    expression: str = ""


class PlainClaim(Part, frozen=True, kw_only=True):
    """A claim whose value is taken as it is."""

    claim: str = ""
    expression: str = ""


class ExtraMapping(Part, frozen=True, kw_only=True):
    """A further thing to be told of the user."""

    key: str = ""
    value_expression: str = ""


class ClaimMappings(Part, frozen=True, kw_only=True):
    """Which claims become what of the user."""

    username: PrefixedClaim = PrefixedClaim()
    groups: PrefixedClaim = PrefixedClaim()
    uid: PlainClaim = PlainClaim()
    extra: tuple[ExtraMapping, ...] = ()


class UserValidationRule(Part, frozen=True, kw_only=True):
    """What must hold of the user that comes out."""

    expression: str = ""
    message: str = ""


class JWTAuthenticator(Part, frozen=True, kw_only=True):
    """One issuer, and what becomes of its tokens."""

    issuer: Issuer = Issuer()
    claim_validation_rules: tuple[ClaimValidationRule, ...] = ()
    claim_mappings: ClaimMappings = ClaimMappings()
    user_validation_rules: tuple[UserValidationRule, ...] = ()


class OpenPath(Part, frozen=True, kw_only=True):
    """A path that is for everybody."""

    path: str = ""


class Anonymous(Part, frozen=True, kw_only=True):
    """Who needs not say who they are: nobody, everybody, or everybody on these paths."""

    enabled: bool = False
    conditions: tuple[OpenPath, ...] = ()

    @property
    def paths(self) -> frozenset[str] | None:
        """The paths that are open; None for all."""
        if self.enabled and not self.conditions:
            return None
        return frozenset(item.path for item in self.conditions if self.enabled)


class AuthenticationConfiguration(Document, frozen=True, kw_only=True):
    """The whole file."""

    jwt: tuple[JWTAuthenticator, ...] = ()
    anonymous: Anonymous | None = None


def load(file: Path) -> AuthenticationConfiguration:
    """What the file says. Raises ConfigurationError."""
    return understood(content(file), file)


def understood(
    found: Any, source: object, *, before: AuthenticationConfiguration | None = None
) -> AuthenticationConfiguration:
    """What was read from `source`, as a configuration. Raises ConfigurationError.

    Who may be anonymous is decided at the start: it stays as `before` has it.
    """
    # Here, because most servers start without.
    from argosy.apiserver.authentication.configurationfaults import faults

    made = converted(found, AuthenticationConfiguration, VERSIONS, KIND, source)
    errors = list(faults(made))
    if before is not None and made.anonymous != before.anonymous:
        errors.append(forbidden_field("anonymous", "changed from initial configuration file"))
    refuse(source, errors)
    return made
