"""The hooks: what a provider supplies, one Protocol each."""

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
    MaybeAwaitable,
    QueryClient,
    QueryCredentials,
    QueryToken,
    TokenGenerator,
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
    "MaybeAwaitable",
    "QueryClient",
    "QueryCredentials",
    "QueryToken",
    "TokenGenerator",
]
