"""The first two filters: who asks, or whom they act as, and whether they may ask for this."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from argosy.apiserver.audit import notes
from argosy.apiserver.authentication.authenticator import Authenticator
from argosy.apiserver.authentication.impersonation import concerns, impersonated, named_user
from argosy.apiserver.authorization.attributes import attributes_of, refusal
from argosy.apiserver.authorization.authorizer import (
    Authorize,
    Authorizer,
    Decision,
    demand,
    is_master,
)
from argosy.apiserver.guards import Guards
from argosy.apiserver.outbound import Outbound
from argosy.apiserver.request import User
from argosy.base.clock import Clock
from argosy.base.errors import StatusError
from argosy.http.message import Request

if TYPE_CHECKING:
    from argosy.apiserver.authentication.configured import Issuing
    from argosy.apiserver.authorization.configured import Configured
    from argosy.apiserver.reloading import Reloading


@dataclass(frozen=True, slots=True)
class Entrance:
    """Lets requests in. `constrained`: impersonation is (the gate ConstrainedImpersonation)."""

    authenticator: Authenticator
    authorizer: Authorizer
    constrained: bool

    async def let_in(self, request: Request) -> User:
        """Who asks, or whom they act as. Raises StatusError 400, 401, 403."""
        user = await self.authenticator.authenticate(request)
        notes.entered(user)
        if concerns(request.headers):
            user = await self.authorizer.settled(partial(self._acting, request, user))
            notes.acting(user)
        if is_master(user):
            notes.decided(True, "")
        return user

    def plain(self, request: Request) -> Request:
        """The request without what it says of who asks: that has been read."""
        return self.authenticator.claims.without(request)

    def _acting(self, request: Request, user: User, authorize: Authorize) -> User:
        demanding = partial(demand, authorize)
        if not self.constrained:
            return impersonated(user, request.headers, demanding)
        # Loaded with the first who impersonates: the first answer needs it not.
        from argosy.apiserver.authentication.constrained import acting

        wanted = named_user(request.headers)
        return user if wanted is None else acting(wanted, attributes_of(request, user), demanding)

    async def permit(self, request: Request, user: User) -> None:
        """Raises StatusError 403 where this is not allowed to whom `let_in` has named."""
        asked = attributes_of(request, user)
        authorizer = self.authorizer
        decision: Decision = (
            await authorizer.settled(lambda authorize: authorize(asked))
            if authorizer.waits
            else authorizer.authorize(asked)
        )
        if decision.allowed:
            notes.decided(True, decision.reason)
        elif decision.error:
            notes.annotate(notes.REASON, "internal error")
            text = f'Internal Server Error: "{request.path}": {decision.error}'
            raise StatusError(500, "InternalError", text)
        else:
            notes.decided(False, decision.reason)
            raise refusal(asked, decision.reason)


def configured(
    authorizer: Authorizer, guards: Guards, outbound: Outbound, clock: Clock
) -> "Configured | None":
    """The authorizer's order, where it is not the usual one. Raises ConfigurationError."""
    if guards.authorization is None:
        return None
    from argosy.apiserver.authorization.configured import Configured  # most start without

    found = Configured(authorizer, outbound, clock, guards.authorization, guards.authorization_file)
    found.apply()
    return found


def issued(guards: Guards, clock: Clock) -> "Issuing | None":
    """Whose tokens are taken beside the server's own, where anybody's are."""
    if guards.authentication is None:
        return None
    from argosy.apiserver.authentication.configured import Issuing  # most start without
    from argosy.apiserver.authentication.oidc import Issuers

    found = Issuing(Issuers(), clock, guards.authentication, guards.authentication_file)
    found.begin()
    return found


def reloads(*configurations: "Issuing | Configured | None") -> "tuple[Reloading, ...]":
    """What follows their files, where they have any."""
    filed = [one for one in configurations if one is not None and one.file is not None]
    if not filed:
        return ()
    from argosy.apiserver.reloading import Reloading

    return tuple(Reloading(one.what, one.file, one.clock, one.take) for one in filed if one.file)
