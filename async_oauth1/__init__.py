"""An OAuth 1.0 (RFC 5849) provider for asyncio.

This module has the protocol, without any framework or I/O. `async_oauth1.quart` is for Quart applications, and
`async_oauth1.stores` stores credentials and nonces.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .credentials import Client, TemporaryCredential, TokenCredential
    from .errors import OAuth1Error, StoreUnavailableError
    from .policy import Policy
    from .protocol.request import OAuth1Request
    from .protocol.signature import SIGNATURE_METHODS, SigningKeys
    from .provider.authorization_server import AuthorizationDecision, AuthorizationServer
    from .provider.resource_protector import ResourceProtector
    from .provider.sync_driver import run_sync
    from .retirement import Retirement

__all__ = [
    "SIGNATURE_METHODS",
    "AuthorizationDecision",
    "AuthorizationServer",
    "Client",
    "OAuth1Error",
    "OAuth1Request",
    "Policy",
    "ResourceProtector",
    "Retirement",
    "SigningKeys",
    "StoreUnavailableError",
    "TemporaryCredential",
    "TokenCredential",
    "run_sync",
]

# Imported at first use: pytest imports this package in each run, for the plugin in `async_oauth1.testing`.
_HOMES = {
    "SIGNATURE_METHODS": "protocol.signature",
    "AuthorizationDecision": "provider.authorization_server",
    "AuthorizationServer": "provider.authorization_server",
    "Client": "credentials",
    "OAuth1Error": "errors",
    "OAuth1Request": "protocol.request",
    "Policy": "policy",
    "ResourceProtector": "provider.resource_protector",
    "Retirement": "retirement",
    "SigningKeys": "protocol.signature",
    "StoreUnavailableError": "errors",
    "TemporaryCredential": "credentials",
    "TokenCredential": "credentials",
    "run_sync": "provider.sync_driver",
}


# Modules that programs may use without importing them, as long as they import this one.
_MODULES = ("credentials", "errors", "policy", "protocol", "provider", "tolerances")


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
