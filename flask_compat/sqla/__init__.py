"""The names of Authlib 0.15's ``authlib.integrations.sqla_oauth1``: credentials in the models of an application.

    from flask_compat.sqla import OAuth1ClientMixin, create_query_client_func, register_authorization_hooks

in place of the import from ``authlib.integrations.sqla_oauth1`` or ``authlib.flask.oauth1.sqla``. Columns, lengths and
names of constraints are the same, so an existing database works as it is. What differs, and a recommended migration, is
on the page "Porting from Authlib 0.15".
"""

from async_oauth1.sqlalchemy.columns import UnstorableValueError, UnsuitableModelError

from .hooks import (
    create_exists_nonce_func,
    create_query_client_func,
    create_query_token_func,
    register_authorization_hooks,
    register_nonce_hooks,
    register_temporary_credential_hooks,
    register_token_credential_hooks,
)
from .mixins import (
    OAuth1ClientMixin,
    OAuth1TemporaryCredentialMixin,
    OAuth1TimestampNonceMixin,
    OAuth1TokenCredentialMixin,
)

__all__ = [
    "OAuth1ClientMixin",
    "OAuth1TemporaryCredentialMixin",
    "OAuth1TimestampNonceMixin",
    "OAuth1TokenCredentialMixin",
    "UnstorableValueError",
    "UnsuitableModelError",
    "create_exists_nonce_func",
    "create_query_client_func",
    "create_query_token_func",
    "register_authorization_hooks",
    "register_nonce_hooks",
    "register_temporary_credential_hooks",
    "register_token_credential_hooks",
]
