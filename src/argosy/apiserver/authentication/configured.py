"""The issuers that an `AuthenticationConfiguration` names, at the start and as its file changes.

Those that a new configuration has as before keep their keys and what they know; new ones count
once their keys are found, as upstream: an issuer that is down changes nothing, and is asked again.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from argosy.apiserver.authentication.configuration import AuthenticationConfiguration, understood
from argosy.apiserver.authentication.oidc import IssuedTokens, Issuers, issued_tokens
from argosy.apiserver.configfile import parsed
from argosy.apiserver.reloading import NotYetError
from argosy.base.clock import Clock


@dataclass(slots=True, eq=False)
class Issuing:
    """Lets `issuers` be those of `found`, which stood in `file` where it is one."""

    issuers: Issuers
    clock: Clock
    found: AuthenticationConfiguration
    file: Path | None = None
    what: ClassVar[str] = "authentication"

    def begin(self) -> None:
        """Take those that there are at the start; their keys are looked for when needed."""
        self.issuers.readers = self._made(self.found)

    async def take(self, data: bytes) -> bool:
        """Take over what the file says now. Raises ConfigurationError, NotYetError."""
        newest = understood(parsed(data, self.file), self.file, before=self.found)
        if newest == self.found:
            return False
        made = self._made(newest)
        new = [one for url, one in made.items() if self.issuers.readers.get(url) is not one]
        there = await asyncio.gather(*(one.keys.located() for one in new))
        lost = (one.rules.issuer.url for one, found in zip(new, there, strict=True) if not found)
        if names := ", ".join(lost):
            raise NotYetError(f"no keys were found of {names}")
        self.issuers.readers, self.found = made, newest
        return True

    def _made(self, wanted: AuthenticationConfiguration) -> dict[str, IssuedTokens]:
        known = self.issuers.readers
        return {
            rules.issuer.url: kept
            if (kept := known.get(rules.issuer.url)) is not None and kept.rules == rules
            else issued_tokens(rules, self.clock)
            for rules in wanted.jwt
        }
