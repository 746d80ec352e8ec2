"""The functions that a provider supplies, with one Protocol for each.

Arguments are positional. A hook returns its result or an awaitable of it. See ``docs/hooks.md`` for complete examples.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TypeAlias

from async_oauth1.credentials import (
    ClientLike,
    ClientT_co,
    MaybeAwaitable,
    TemporaryCredentialLike,
    TokenCredentialLike,
    TokenT_co,
)
from async_oauth1.errors import OAuth1Error
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.records.audit import AuditEvent

__all__ = [
    "Audit",
    "CountWrongVerifier",
    "CreateAuthorizationVerifier",
    "CreateTemporaryCredential",
    "CreateTokenCredential",
    "DeleteTemporaryCredential",
    "DenyTemporaryCredential",
    "Exchange",
    "ExistsNonce",
    "GetTemporaryCredential",
    "HookStore",
    "OnRefusal",
    "QueryClient",
    "QueryCredentials",
    "QueryToken",
    "RequestedScope",
    "TokenGenerator",
    "TokenResponseParameters",
]


class QueryClient(Protocol[ClientT_co]):
    """Looks a client up by its identifier. Required by both servers.

    Args:
        client_id: what ``oauth_consumer_key`` says, of a request that is not verified yet.

    Returns:
        The client; ``None`` if there is none.
    """

    def __call__(self, client_id: str, /) -> MaybeAwaitable[ClientT_co | None]: ...


class QueryToken(Protocol[TokenT_co]):
    """Looks token credentials up; both arguments must match. Required by a resource protector.

    Args:
        client_id: the client that the request names.
        oauth_token: the token that the request names.

    Returns:
        The token credentials; ``None`` if there are none, or they are revoked or expired.
    """

    def __call__(self, client_id: str, oauth_token: str, /) -> MaybeAwaitable[TokenT_co | None]: ...


class QueryCredentials(Protocol[ClientT_co, TokenT_co]):
    """Looks client and token credentials up in one round trip. Optional: instead of the first two, if there is a token.

    Args:
        client_id: the client that the request names.
        oauth_token: the token that the request names.

    Returns:
        What ``query_client`` and ``query_token`` return, as a pair.
    """

    def __call__(
        self, client_id: str, oauth_token: str, /
    ) -> MaybeAwaitable[tuple[ClientT_co | None, TokenT_co | None]]: ...


class ExistsNonce(Protocol):
    """Stores a nonce and returns whether it was stored before, in ONE atomic step (RFC 5849 section 3.3). Required.

    It is called last, for a request whose signature holds.

    Args:
        nonce: at most 255 characters.
        timestamp: seconds since 1970, as sent: digits.
        client_id: the client.
        oauth_token: the token; ``None`` for a request without one.

    Returns:
        ``True`` if this combination was stored before, which refuses the request.
    """

    def __call__(
        self, nonce: str, timestamp: str, client_id: str, oauth_token: str | None, /
    ) -> MaybeAwaitable[bool]: ...


class CreateTemporaryCredential(Protocol):
    """Stores new temporary credentials (section 2.1). Required by an authorization server.

    If it has a parameter ``scope`` as well, it gets the scope that the client asks for, and stores it, too.

    Args:
        token: ``oauth_token`` and ``oauth_token_secret``, as the token generator made them.
        client_id: the client.
        redirect_uri: the callback, checked; or ``oob``.

    Returns:
        The temporary credentials.
    """

    def __call__(
        self, token: dict[str, str], client_id: str, redirect_uri: str, /
    ) -> MaybeAwaitable[TemporaryCredentialLike]: ...


class GetTemporaryCredential(Protocol):
    """Looks temporary credentials up. Required by an authorization server.

    Args:
        oauth_token: the token.

    Returns:
        The temporary credentials; ``None`` once expired, denied or exchanged.
    """

    def __call__(self, oauth_token: str, /) -> MaybeAwaitable[TemporaryCredentialLike | None]: ...


class GetEndedTemporaryCredential(Protocol):
    """Looks up temporary credentials that have ended: exchanged, denied, or used up by wrong verifiers. Optional.

    With it, a client that has signed with them is told so (`TokenRejectedError`), as long as they would have lived.
    Without it, the answer is the same as for an unknown token. They are never exchanged again.

    Args:
        oauth_token: the token.

    Returns:
        The credentials with their secret; ``None`` if they are unknown or pending, or would have expired by now.
    """

    def __call__(self, oauth_token: str, /) -> MaybeAwaitable[TemporaryCredentialLike | None]: ...


class DeleteTemporaryCredential(Protocol):
    """Deletes temporary credentials. Must be atomic: only one caller gets ``True``. Required by authorization servers.

    Args:
        oauth_token: the token.

    Returns:
        ``False``, or 0, if there were none: then the exchange is refused.
    """

    def __call__(self, oauth_token: str, /) -> MaybeAwaitable[bool | None]: ...


class CreateAuthorizationVerifier(Protocol):
    """Binds user and verifier to temporary credentials, once. Must be atomic. Required by an authorization server.

    If it has a parameter ``scope`` as well, it gets the scope that the user grants, and stores it, too. Then the hooks
    ``exchange`` and ``create_token_credential`` give it to the token credentials.

    Args:
        credential: the temporary credentials.
        grant_user: what was given to ``authorize`` or ``create_authorization_response``.
        verifier: the verifier, which the client must show at the exchange.

    Returns:
        ``False`` if they were decided before; anything else is success.
    """

    def __call__(self, credential: Any, grant_user: Any, verifier: str, /) -> MaybeAwaitable[object]: ...


class DenyTemporaryCredential(Protocol):
    """Records that the resource owner denied access. Must be atomic. Optional: without it, they are deleted.

    Args:
        oauth_token: the token.

    Returns:
        ``False`` if the credentials were already decided.
    """

    def __call__(self, oauth_token: str, /) -> MaybeAwaitable[bool | None]: ...


class CountWrongVerifier(Protocol):
    """Counts a wrong verifier. Must be atomic. Optional: without it, the codes that users type are long.

    Args:
        oauth_token: the token of the temporary credentials.

    Returns:
        How many there have been, this one included.
    """

    def __call__(self, oauth_token: str, /) -> MaybeAwaitable[int]: ...


class CreateTokenCredential(Protocol):
    """Stores new token credentials (section 2.3). Required by an authorization server.

    Args:
        token: ``oauth_token`` and ``oauth_token_secret``, as the token generator made them.
        temporary_credential: the temporary credentials, which have just been deleted.

    Returns:
        The token credentials.
    """

    def __call__(self, token: dict[str, str], temporary_credential: Any, /) -> MaybeAwaitable[TokenCredentialLike]: ...


class Exchange(Protocol):
    """Replaces temporary by token credentials in one transaction. Optional: instead of deleting and creating.

    Args:
        temporary_credential: the temporary credentials.
        token: ``oauth_token`` and ``oauth_token_secret``, as the token generator made them.

    Returns:
        The token credentials; ``None`` if the temporary ones do not exist any more.
    """

    def __call__(
        self, temporary_credential: Any, token: dict[str, str], /
    ) -> MaybeAwaitable[TokenCredentialLike | None]: ...


class RequestedScope(Protocol):
    """Says which scope a client asks for, at the first step; its names are separated by spaces. Optional.

    Without this hook that is the parameter ``scope`` or ``x_oauth_scope``. It may raise `InvalidRequestError` to refuse
    a scope that does not exist. The request is verified, so only what the client signed is in its ``params``.

    Args:
        request: the request for temporary credentials.

    Returns:
        The scope; ``None`` if the client asks for none.
    """

    def __call__(self, request: OAuth1Request, /) -> MaybeAwaitable[str | None]: ...


class TokenResponseParameters(Protocol):
    """Returns more parameters for the response with token credentials, such as a user's name (section 2.3). Optional.

    Called after the exchange, with the request and the new token credentials; ``request.credential`` has the temporary
    ones. If it fails, the error is logged, and the client gets its token without these parameters: it could not
    exchange the temporary credentials again.

    Args:
        request: the request for token credentials.
        credential: the new token credentials.

    Returns:
        The parameters; ``None`` for no more than the credentials.
    """

    def __call__(
        self, request: OAuth1Request, credential: Any, /
    ) -> MaybeAwaitable[Mapping[str, object] | Iterable[tuple[str, object]] | None]: ...


class Audit(Protocol):
    """Keeps a record of what was stored: temporary credentials, a decision of the user, or token credentials. Optional.

    For stores without an audit trail of their own. Called once the change is stored and before the answer. If it fails,
    the error is logged, and the answer stays: the change could not be made again.

    Args:
        event: the record, without a secret.
    """

    def __call__(self, event: AuditEvent, /) -> MaybeAwaitable[object]: ...


class OnRefusal(Protocol):
    """Is told of each refused request, a moment after its answer. Optional.

    Up to 64 refusals wait, and further ones are dropped.

    Args:
        request: the refused request; ``client`` and ``credential`` as far as they were looked up.
        error: why it was refused. With uniform errors its ``__cause__`` tells more than the answer.
        explanation: an `async_oauth1.explain.Explanation` if `Policy.explain_refusals` wants one, or else ``None``.
    """

    def __call__(self, request: OAuth1Request, error: OAuth1Error, explanation: Any, /) -> MaybeAwaitable[None]: ...


class TokenGenerator(Protocol):
    """Makes the texts of new credentials. Optional: by default, 42 and 48 random characters.

    Returns:
        A dict with ``oauth_token`` and ``oauth_token_secret``.
    """

    def __call__(self) -> MaybeAwaitable[dict[str, str]]: ...


class _StoresClients(Protocol):
    def query_client(self, client_id: str, /) -> MaybeAwaitable[ClientLike | None]: ...


class _StoresTokens(Protocol):
    def query_token(self, client_id: str, oauth_token: str, /) -> MaybeAwaitable[TokenCredentialLike | None]: ...


class _StoresTemporaryCredentials(Protocol):
    def get_temporary_credential(self, oauth_token: str, /) -> MaybeAwaitable[TemporaryCredentialLike | None]: ...


class _StoresNonces(Protocol):
    def exists_nonce(
        self, nonce: str, timestamp: str, client_id: str, oauth_token: str | None, /
    ) -> MaybeAwaitable[bool]: ...


#: What `register_hooks` accepts: an object with at least one of these hooks as a method.
HookStore: TypeAlias = _StoresClients | _StoresTokens | _StoresTemporaryCredentials | _StoresNonces
