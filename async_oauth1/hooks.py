"""The hooks: the functions that a provider supplies, with one Protocol for each."""

from .provider.dialects import TokenResponseParameters
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
    TokenGenerator,
)
from .provider.scopes import RequestedScope, scope_in

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
