"""What is demanded of a connection, and what remains of one that was verified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

from async_oauth1.credentials import ClientLike, TokenCredentialLike
from async_oauth1.policy import Policy
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.resource_protector import ResourceProtector

from .bearer import QueryBearer

__all__ = ["SCOPE_KEY", "AnyProtector", "Demands", "Verified", "bearer_in", "verified_in"]

#: A protector of any models.
AnyProtector: TypeAlias = ResourceProtector[ClientLike, TokenCredentialLike]
#: The key of the scope under which `Verified` is found.
SCOPE_KEY = "async_oauth1.verified"


@dataclass(frozen=True, slots=True)
class Demands:
    """What is demanded of a connection.

    Attributes:
        scope: the scopes that the token credential must cover, separated by spaces.
        two_legged: accept the client's signature without a token.
        early: call the application before a body with ``oauth_body_hash`` has arrived.
        body_hash_required: refuse a request that is neither a form nor carries ``oauth_body_hash``.
        query_bearer: looks up bearer tokens, which are then accepted beside OAuth 1.0; ``None`` if they are not.
        optional: let a connection pass that carries no OAuth 1.0 at all.
        memory_limit: octets of a body that are kept in memory until its hash holds; the rest goes to a file.
        max_body_bytes: of a body that is hashed; ``None`` for no limit.
        body_timeout: seconds in which a form must have arrived, and the longest pause in a body that is hashed.
    """

    scope: str | None = None
    two_legged: bool = False
    early: bool = False
    body_hash_required: bool = False
    query_bearer: QueryBearer | None = None
    optional: bool = False
    memory_limit: int = 1024 * 1024
    max_body_bytes: int | None = None
    body_timeout: float = 60.0


class Verified(NamedTuple):
    """A request that was verified.

    Attributes:
        protector: the protector that verified it.
        request: the request, with ``client`` and ``credential`` set. For a bearer token, ``client`` is ``None``, and
            ``credential`` is the principal that the look-up returned.
        policy: the rules by which it was verified.
        earlier: what was verified before, by another protector or another scheme.
        query_bearer: looked the bearer token up; ``None`` if the request is signed with OAuth 1.0.
    """

    protector: AnyProtector
    request: OAuth1Request
    policy: Policy
    earlier: Verified | None = None
    query_bearer: QueryBearer | None = None

    @property
    def scheme(self) -> Literal["oauth", "bearer"]:
        """How the request is authenticated."""
        return "oauth" if self.query_bearer is None else "bearer"

    @property
    def principal(self) -> Any:
        """What the bearer token was looked up to; else the token credential, or the client without a token."""
        request = self.request
        return request.client if request.credential is None else request.credential

    @property
    def body_protection(self) -> Literal["form", "hash", "none"]:
        """What protects the body: see `OAuth1Request.body_protection`."""
        return self.request.body_protection


def verified_in(scope: Mapping[str, Any], protector: AnyProtector) -> Verified | None:
    """What a protector has verified of a signed connection before, whatever others have verified since.

    A bearer token counts only for a route that accepts it: see `bearer_in`.
    """
    found: Verified | None = scope.get(SCOPE_KEY)
    while found is not None and (found.protector is not protector or found.query_bearer is not None):
        found = found.earlier
    return found


def bearer_in(scope: Mapping[str, Any], protector: AnyProtector, query_bearer: QueryBearer) -> Verified | None:
    """What a look-up of bearer tokens has found for a connection before."""
    found: Verified | None = scope.get(SCOPE_KEY)
    while found is not None and (found.protector is not protector or found.query_bearer != query_bearer):
        found = found.earlier
    return found
