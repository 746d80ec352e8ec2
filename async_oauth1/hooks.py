"""The hooks: the functions that a provider supplies, with one Protocol for each."""

from .provider.approval.scopes import scope_in
from .provider.hooks import (
    CountWrongVerifier,
    CreateAuthorizationVerifier,
    CreateTemporaryCredential,
    CreateTokenCredential,
    DeleteTemporaryCredential,
    DenyTemporaryCredential,
    Exchange,
    ExistsNonce,
    GetTemporaryCredential,
    HookStore,
    MaybeAwaitable,
    QueryClient,
    QueryCredentials,
    QueryToken,
    RequestedScope,
    TokenGenerator,
    TokenResponseParameters,
)

__all__ = [
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
    "MaybeAwaitable",
    "QueryClient",
    "QueryCredentials",
    "QueryToken",
    "RequestedScope",
    "TokenGenerator",
    "TokenResponseParameters",
    "scope_in",
]
