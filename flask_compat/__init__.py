"""Authlib's Flask OAuth 1.0 provider, name by name, on the core of `async_oauth1`: for Flask and for Quart.

    from flask_compat import AuthorizationServer, ResourceProtector, current_credential

in place of ``from authlib.integrations.flask_oauth1 import ...``. Models, hooks, views and error handling stay.
"""

from authlib.oauth1 import (
    SIGNATURE_HMAC_SHA1,
    SIGNATURE_PLAINTEXT,
    SIGNATURE_RSA_SHA1,
    SIGNATURE_TYPE_BODY,
    SIGNATURE_TYPE_HEADER,
    SIGNATURE_TYPE_QUERY,
    ClientAuth,
    ClientMixin,
    TemporaryCredential,
    TemporaryCredentialMixin,
    TokenCredentialMixin,
)

from .authorization_server import AuthorizationServer
from .cache import create_exists_nonce_func, register_nonce_hooks, register_temporary_credential_hooks
from .errors import OAuth1Error
from .resource_protector import ResourceProtector, current_credential
from .wrapper import OAuth1Request

__all__ = [
    "SIGNATURE_HMAC_SHA1",
    "SIGNATURE_PLAINTEXT",
    "SIGNATURE_RSA_SHA1",
    "SIGNATURE_TYPE_BODY",
    "SIGNATURE_TYPE_HEADER",
    "SIGNATURE_TYPE_QUERY",
    "AuthorizationServer",
    "ClientAuth",
    "ClientMixin",
    "OAuth1Error",
    "OAuth1Request",
    "ResourceProtector",
    "TemporaryCredential",
    "TemporaryCredentialMixin",
    "TokenCredentialMixin",
    "create_exists_nonce_func",
    "current_credential",
    "register_nonce_hooks",
    "register_temporary_credential_hooks",
]
