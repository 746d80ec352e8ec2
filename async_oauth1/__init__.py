"""An OAuth 1.0 (RFC 5849) provider for asyncio.

This module has the protocol, without any framework or I/O. `async_oauth1.quart` is for Quart applications, and
`async_oauth1.stores` stores credentials and nonces.
"""

from .credentials import Client, TemporaryCredential, TokenCredential
from .errors import OAuth1Error, StoreUnavailableError
from .policy import Policy
from .protocol.request import OAuth1Request
from .protocol.signature import SIGNATURE_METHODS, SigningKeys
from .provider.authorization_server import AuthorizationDecision, AuthorizationServer
from .provider.resource_protector import ResourceProtector
from .provider.sync_driver import run_sync

__all__ = [
    "SIGNATURE_METHODS",
    "AuthorizationDecision",
    "AuthorizationServer",
    "Client",
    "OAuth1Error",
    "OAuth1Request",
    "Policy",
    "ResourceProtector",
    "SigningKeys",
    "StoreUnavailableError",
    "TemporaryCredential",
    "TokenCredential",
    "run_sync",
]
