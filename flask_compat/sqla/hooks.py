"""Hooks over an application's models and its session, with the names of Authlib 0.15.

Models are checked when hooks are registered. Nothing else happens then, so neither an application context nor a
database is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar, cast

from sqlalchemy import ColumnElement, Delete, Select, Update, delete, false, literal, or_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from async_oauth1.credentials import ClientLike, TemporaryCredentialLike, TokenCredentialLike
from async_oauth1.provider.tokens import TOKEN_LENGTH, TOKEN_SECRET_LENGTH, VERIFIER_LENGTH
from async_oauth1.sqlalchemy.columns import ModelColumns, UnstorableValueError
from async_oauth1.sqlalchemy.exact import exactly

from .mixins import ApprovedCredential
from .nonces import Nonces
from .transactions import AppSession, Transactions

__all__ = [
    "create_exists_nonce_func",
    "create_query_client_func",
    "create_query_token_func",
    "register_authorization_hooks",
    "register_nonce_hooks",
    "register_temporary_credential_hooks",
    "register_token_credential_hooks",
]

ClientT = TypeVar("ClientT", bound=ClientLike)
TokenT = TypeVar("TokenT", bound=TokenCredentialLike)
TemporaryT = TypeVar("TemporaryT", bound=TemporaryCredentialLike)
RowT = TypeVar("RowT")

_PACKAGE = "flask_compat.sqla"
_TOKENS = {"oauth_token": TOKEN_LENGTH, "oauth_token_secret": TOKEN_SECRET_LENGTH}
_TOKEN_METHODS = ("get_oauth_token", "get_oauth_token_secret", "set_user_id")
_TEMPORARY_METHODS = (
    *_TOKEN_METHODS,
    "get_user_id",
    "get_client_id",
    "get_redirect_uri",
    "check_verifier",
    "is_decided",
)
#: Seconds that a nonce is kept by default.
NONCE_LIFETIME = 86400


class HookRegistry(Protocol):
    """What hooks are registered on: an ``AuthorizationServer``."""

    def register_hook(self, name: str, func: Callable[..., Any], /) -> None:
        """Set a hook."""
        ...


def create_query_client_func(session: AppSession, model_class: type[ClientT]) -> Callable[[str], ClientT | None]:
    """Make a ``query_client`` function.

    Args:
        session: a scoped session or a session of SQLAlchemy.
        model_class: the model of clients; see `OAuth1ClientMixin`.

    Raises:
        UnsuitableModelError: the model or the session cannot be used.
    """
    columns = ModelColumns(
        model_class, f"{_PACKAGE}.OAuth1ClientMixin", {"client_id": None}, ("get_client_secret", "get_rsa_public_key")
    )
    transactions = Transactions(session, model_class)

    def query_client(client_id: str) -> ClientT | None:
        statement = _select(columns, model_class, client_id=client_id)
        return None if statement is None else transactions.find(statement)

    return query_client


def create_query_token_func(session: AppSession, model_class: type[TokenT]) -> Callable[[str, str], TokenT | None]:
    """Make a ``query_token`` function.

    Args:
        session: a scoped session or a session of SQLAlchemy.
        model_class: the model of token credentials; see `OAuth1TokenCredentialMixin`.

    Raises:
        UnsuitableModelError: the model or the session cannot be used.
    """
    columns = _token_columns(model_class)
    transactions = Transactions(session, model_class)

    def query_token(client_id: str, oauth_token: str) -> TokenT | None:
        statement = _select(columns, model_class, client_id=client_id, oauth_token=oauth_token)
        return None if statement is None else transactions.find(statement)

    return query_token


def create_exists_nonce_func(
    session: AppSession, model_class: type[object], expires: int = NONCE_LIFETIME
) -> Callable[[str, int | str, str, str | None], bool]:
    """Make an ``exists_nonce`` function.

    Args:
        session: a scoped session or a session of SQLAlchemy.
        model_class: the model of nonces; see `OAuth1TimestampNonceMixin`.
        expires: seconds that a nonce is kept; more if the timestamp window requires it.

    Raises:
        UnsuitableModelError: the model or the session cannot be used.
    """
    needed: dict[str, int | None] = dict.fromkeys(("nonce", "timestamp", "client_id", "oauth_token"))
    columns = ModelColumns(model_class, f"{_PACKAGE}.OAuth1TimestampNonceMixin", needed)
    nonces = Nonces(Transactions(session, model_class), columns, expires)

    def exists_nonce(nonce: str, timestamp: int | str, client_id: str, oauth_token: str | None) -> bool:
        return nonces.exists(nonce, timestamp, client_id, oauth_token)

    return exists_nonce


def register_nonce_hooks(authorization_server: HookRegistry, session: AppSession, model_class: type[object]) -> None:
    """Keep nonces in a table. Takes what `create_exists_nonce_func` takes."""
    authorization_server.register_hook("exists_nonce", create_exists_nonce_func(session, model_class))


def register_temporary_credential_hooks(
    authorization_server: HookRegistry, session: AppSession, model_class: type[TemporaryCredentialLike]
) -> None:
    """Keep temporary credentials in a table.

    Args:
        authorization_server: the server that gets the hooks.
        session: a scoped session or a session of SQLAlchemy.
        model_class: the model; see `OAuth1TemporaryCredentialMixin`.

    Raises:
        UnsuitableModelError: the model or the session cannot be used.
    """
    hooks = _TemporaryCredentials(session, model_class)
    for name in (
        "create_temporary_credential",
        "get_temporary_credential",
        "delete_temporary_credential",
        "create_authorization_verifier",
    ):
        authorization_server.register_hook(name, getattr(hooks, name))


def register_token_credential_hooks(
    authorization_server: HookRegistry, session: AppSession, model_class: type[TokenCredentialLike]
) -> None:
    """Keep token credentials in a table.

    Args:
        authorization_server: the server that gets the hook.
        session: a scoped session or a session of SQLAlchemy.
        model_class: the model; see `OAuth1TokenCredentialMixin`.

    Raises:
        UnsuitableModelError: the model or the session cannot be used.
    """
    hook = _TokenCredentials(session, model_class).create_token_credential
    authorization_server.register_hook("create_token_credential", hook)


def register_authorization_hooks(
    authorization_server: HookRegistry,
    session: AppSession,
    token_credential_model: type[TokenCredentialLike],
    temporary_credential_model: type[TemporaryCredentialLike] | None = None,
    timestamp_nonce_model: type[object] | None = None,
) -> None:
    """Register all hooks whose models are given.

    Args:
        authorization_server: the server that gets the hooks.
        session: a scoped session or a session of SQLAlchemy.
        token_credential_model: see `OAuth1TokenCredentialMixin`.
        temporary_credential_model: see `OAuth1TemporaryCredentialMixin`.
        timestamp_nonce_model: see `OAuth1TimestampNonceMixin`.

    Raises:
        UnsuitableModelError: a model or the session cannot be used.
    """
    register_token_credential_hooks(authorization_server, session, token_credential_model)
    if temporary_credential_model is not None:
        register_temporary_credential_hooks(authorization_server, session, temporary_credential_model)
    if timestamp_nonce_model is not None:
        register_nonce_hooks(authorization_server, session, timestamp_nonce_model)


class _TokenCredentials(Generic[TokenT]):
    """The hook over one model, and an exchange in one transaction."""

    def __init__(self, session: AppSession, model: type[TokenT]) -> None:
        self._columns = _token_columns(model)
        self.transactions = Transactions(session, model)
        self._model = model

    def create_token_credential(self, token: dict[str, str], temporary_credential: ApprovedCredential) -> TokenT:
        create = self._creation(token, temporary_credential)
        return self.transactions.hand_over(self.transactions.run(create))

    def exchange_after(self, delete_hook: object) -> Callable[[Any, dict[str, str]], TokenT | None] | None:
        """A function that deletes and creates in one transaction; ``None`` unless hook and database allow it."""
        temporary = getattr(delete_hook, "__self__", None)
        if not isinstance(temporary, _TemporaryCredentials) or not self.transactions.can_include(
            temporary.transactions
        ):
            return None

        def exchange(temporary_credential: ApprovedCredential, token: dict[str, str]) -> TokenT | None:
            statement = temporary.deletion(temporary_credential.get_oauth_token())
            create = self._creation(token, temporary_credential)
            created = self.transactions.run(lambda own: create(own) if _rows(own, statement) else None)
            return None if created is None else self.transactions.hand_over(created)

        return exchange

    def _creation(self, token: dict[str, str], temporary_credential: ApprovedCredential) -> Callable[[Session], TokenT]:
        row = self._columns.cast_all(**_credentials(token), client_id=temporary_credential.get_client_id())
        user_id = self._columns.cast("user_id", temporary_credential.get_user_id())

        def create(own: Session) -> TokenT:
            item = self._model(**row)
            cast("Any", item).set_user_id(user_id)
            own.add(item)
            return item

        return create


class _TemporaryCredentials(Generic[TemporaryT]):
    """The hooks over one model."""

    def __init__(self, session: AppSession, model: type[TemporaryT]) -> None:
        needed = {"client_id": None, **_TOKENS, "oauth_verifier": VERIFIER_LENGTH, "oauth_callback": None}
        mixin = f"{_PACKAGE}.OAuth1TemporaryCredentialMixin"
        self._columns = ModelColumns(model, mixin, needed, _TEMPORARY_METHODS)
        self.transactions = Transactions(session, model)
        self._model = model

    def create_temporary_credential(
        self, token: dict[str, str], client_id: str, redirect_uri: str | None
    ) -> TemporaryT:
        row = self._columns.cast_all(**_credentials(token), client_id=client_id, oauth_callback=redirect_uri)

        def create(own: Session) -> TemporaryT:
            item = self._model(**row)
            own.add(item)
            return item

        return self.transactions.hand_over(self.transactions.run(create))

    def get_temporary_credential(self, oauth_token: str | None) -> TemporaryT | None:
        statement = _select(self._columns, self._model, oauth_token=oauth_token)
        return None if statement is None else self.transactions.find_fresh(statement)

    def delete_temporary_credential(self, oauth_token: str | None) -> bool:
        """Whether this call deleted it: of several at once, one does."""
        statement = self.deletion(oauth_token)
        return self.transactions.run(lambda own: _rows(own, statement)) > 0

    def deletion(self, oauth_token: str | None) -> Delete:
        """The statement that deletes a temporary credential."""
        criteria = _criteria(self._columns, oauth_token=oauth_token)
        statement = delete(self._model).where(*[false()] if criteria is None else criteria)
        return statement.execution_options(synchronize_session=False)

    def create_authorization_verifier(
        self, credential: TemporaryT, grant_user: object, verifier: str
    ) -> TemporaryT | bool:
        """Bind user and verifier in one transaction; ``False`` if it was decided, or deleted, before."""
        user_id = self._columns.cast("user_id", _user_id(grant_user))
        verifier = self._columns.cast("oauth_verifier", verifier)
        criteria = _criteria(self._columns, oauth_token=credential.get_oauth_token())
        issued = self._columns.attribute("oauth_verifier")
        undecided = update(self._model).where(*criteria or (), or_(issued.is_(None), issued == ""))
        statement = undecided.values(oauth_verifier=verifier).execution_options(synchronize_session=False)

        def approve(own: Session) -> object:
            if not _rows(own, statement):
                return None
            row: Any = own.scalars(select(self._model).where(*criteria or ())).one()
            row.set_user_id(user_id)
            return row

        approved = self.transactions.run(approve)
        if approved is None:
            return False
        for name, value in vars(approved).items():
            if name in self._columns:
                set_committed_value(credential, name, value)
        return credential


def _token_columns(model: type[object]) -> ModelColumns:
    mixin = f"{_PACKAGE}.OAuth1TokenCredentialMixin"
    return ModelColumns(model, mixin, {"client_id": None, **_TOKENS}, _TOKEN_METHODS)


def _credentials(token: dict[str, str]) -> dict[str, str]:
    return {"oauth_token": token["oauth_token"], "oauth_token_secret": token["oauth_token_secret"]}


def _criteria(columns: ModelColumns, **values: object) -> list[ColumnElement[bool]] | None:
    """Exact comparisons; ``None`` if no row can have such values."""
    try:
        cast = columns.cast_all(**values)
    except UnstorableValueError:
        return None
    if None in cast.values():
        return None
    return [
        exactly(columns.attribute(name), literal(value, columns.type_of(name)))
        if isinstance(value, str)
        else columns.attribute(name) == value
        for name, value in cast.items()
    ]


def _select(columns: ModelColumns, model: type[RowT], **values: object) -> Select[RowT] | None:
    criteria = _criteria(columns, **values)
    return None if criteria is None else select(model).where(*criteria)


def _rows(own: Session, statement: Delete | Update) -> int:
    result: Any = own.execute(statement)
    count: int = result.rowcount
    return count


def _user_id(user: object) -> object:
    """The identifier of a user: Authlib's method, a column, or Flask-Login's method."""
    for name in ("get_user_id", "id", "get_id"):
        found = getattr(user, name, None)
        if found is not None:
            return found() if callable(found) else found
    return user
