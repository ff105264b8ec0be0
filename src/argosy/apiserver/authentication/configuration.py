"""Whose tokens the server takes beside its own: an `AuthenticationConfiguration`, read and checked.

The file is upstream's: v1, v1beta1 or v1alpha1 of `apiserver.config.k8s.io`, YAML or JSON. Fields
that are not known are refused by name; what the others may say is in `configurationfaults`.
Source: Kubernetes' "Authenticating", structured authentication configuration (KEP-3331).
"""

from pathlib import Path
from typing import Final

import msgspec

from argosy.base.errors import StatusError

VERSIONS: Final = tuple(f"apiserver.config.k8s.io/{name}" for name in ("v1", "v1beta1", "v1alpha1"))
KIND: Final = "AuthenticationConfiguration"


class ConfigurationError(Exception):
    """The file can't be read, or says what is not possible; the text says what."""


class _Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Every part of the file: no other field than these."""


class Issuer(_Part, frozen=True, kw_only=True):
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


class ClaimValidationRule(_Part, frozen=True, kw_only=True):
    """What a claim must be."""

    claim: str = ""
    required_value: str = ""
    expression: str = ""
    message: str = ""


class PrefixedClaim(_Part, frozen=True, kw_only=True):
    """A claim whose value, behind a prefix, is taken."""

    claim: str = ""
    prefix: str | None = None
    expression: str = ""


class PlainClaim(_Part, frozen=True, kw_only=True):
    """A claim whose value is taken as it is."""

    claim: str = ""
    expression: str = ""


class ExtraMapping(_Part, frozen=True, kw_only=True):
    """A further thing to be told of the user."""

    key: str = ""
    value_expression: str = ""


class ClaimMappings(_Part, frozen=True, kw_only=True):
    """Which claims become what of the user."""

    username: PrefixedClaim = PrefixedClaim()
    groups: PrefixedClaim = PrefixedClaim()
    uid: PlainClaim = PlainClaim()
    extra: tuple[ExtraMapping, ...] = ()


class UserValidationRule(_Part, frozen=True, kw_only=True):
    """What must hold of the user that comes out."""

    expression: str = ""
    message: str = ""


class JWTAuthenticator(_Part, frozen=True, kw_only=True):
    """One issuer, and what becomes of its tokens."""

    issuer: Issuer = Issuer()
    claim_validation_rules: tuple[ClaimValidationRule, ...] = ()
    claim_mappings: ClaimMappings = ClaimMappings()
    user_validation_rules: tuple[UserValidationRule, ...] = ()


class OpenPath(_Part, frozen=True, kw_only=True):
    """A path that is for everybody."""

    path: str = ""


class Anonymous(_Part, frozen=True, kw_only=True):
    """Who needs not say who they are: nobody, everybody, or everybody on these paths."""

    enabled: bool = False
    conditions: tuple[OpenPath, ...] = ()

    @property
    def paths(self) -> frozenset[str] | None:
        """The paths that are open; None for all."""
        if self.enabled and not self.conditions:
            return None
        return frozenset(item.path for item in self.conditions if self.enabled)


class AuthenticationConfiguration(_Part, frozen=True, kw_only=True):
    """The whole file."""

    api_version: str
    kind: str
    jwt: tuple[JWTAuthenticator, ...] = ()
    anonymous: Anonymous | None = None


def load(file: Path) -> AuthenticationConfiguration:
    """What the file says. Raises ConfigurationError."""
    # Here, because most servers start without.
    from argosy.apiserver.authentication.configurationfaults import faults
    from argosy.apiserver.yamlform import read

    try:
        found = msgspec.convert(read(file.read_bytes()), AuthenticationConfiguration)
    except OSError as error:
        raise ConfigurationError(f"reading {file}: {error.strerror or error}") from None
    except (msgspec.ValidationError, StatusError) as error:
        raise ConfigurationError(f"reading {file}: {error}") from None
    if found.api_version not in VERSIONS or found.kind != KIND:
        named = f"{found.kind} of {found.api_version}"
        raise ConfigurationError(
            f"reading {file}: it holds a {named}, not a {KIND} of {VERSIONS[0]}"
        )
    if errors := list(faults(found)):
        raise ConfigurationError(f"reading {file}: {'; '.join(map(str, errors))}")
    return found
