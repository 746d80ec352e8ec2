"""The parts of a `SQLAlchemyStore`: which models and which other store keep what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sqlalchemy import delete, false
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from async_oauth1.credentials import ClientLike, TemporaryCredentialLike, TokenCredentialLike
from async_oauth1.errors import StoreError, StoreUnavailableError
from async_oauth1.policy import Policy
from async_oauth1.stores.base import BaseStore
from async_oauth1.stores.forks import LeftBehind
from async_oauth1.stores.interfaces import TransientStore
from async_oauth1.stores.purging import PurgeSchedule

from .clients import CLIENT_NEEDS, Clients
from .look_ups import LookUps
from .models import Model
from .nonces import NONCE_NEEDS, Nonces
from .reencryption import check_tables
from .temporary_credentials import TEMPORARY_NEEDS, TemporaryCredentials, changed_rows
from .tokens import TOKEN_NEEDS, Tokens
from .transactions import RefusedRowError, Transactions, session_factory_of

__all__ = ["ClientT", "StoreParts", "TemporaryT", "TokenT", "have_one_bind"]

if TYPE_CHECKING:
    from typing_extensions import TypeVar as _TypeVar

    ClientT = _TypeVar("ClientT", bound=ClientLike)
    TokenT = _TypeVar("TokenT", bound=TokenCredentialLike)
    TemporaryT = _TypeVar("TemporaryT", bound=TemporaryCredentialLike, default=TemporaryCredentialLike)
else:
    ClientT, TokenT, TemporaryT = TypeVar("ClientT"), TypeVar("TokenT"), TypeVar("TemporaryT")

_PURGE_AFTER = 1000  # a removal costs round trips of its own
_TEMPORARY_HOOKS = (
    "create_temporary_credential",
    "get_temporary_credential",
    "delete_temporary_credential",
    "create_authorization_verifier",
    "deny_temporary_credential",
    "count_wrong_verifier",
)


class StoreParts(BaseStore, Generic[ClientT, TokenT, TemporaryT]):
    """The models and their tables, and what is opened and closed with them."""

    shared = True

    def __init__(
        self,
        session_factory: Callable[[], AsyncSession],
        *,
        Client: type[ClientT],  # noqa: N803 - the names of the models
        TokenCredential: type[TokenT],  # noqa: N803
        TemporaryCredential: type[TemporaryT] | None,  # noqa: N803
        Nonce: type[Any] | TransientStore | None,  # noqa: N803
        cache: TransientStore | None,
        nonce_lifetime: int | None,
        clock: Callable[[], float],
        keys: Sequence[str],
        timeout: float,
    ) -> None:
        """As `SQLAlchemyStore`."""
        self._sessions = session_factory_of(session_factory)
        url, self._is_sqlite = _database_of(self._sessions, Client)
        super().__init__(url, nonce_lifetime=nonce_lifetime, clock=clock, keys=keys)
        if Nonce is not None and not isinstance(Nonce, type):
            Nonce, cache = None, Nonce  # noqa: N806
        self._cache = cache
        self._timeout = timeout
        sealed = bool(self.keys)
        self._client_model = Model(Client, CLIENT_NEEDS, key="client_id", is_encrypted=sealed)
        self._token_model = Model(TokenCredential, TOKEN_NEEDS, key="oauth_token", is_encrypted=sealed)
        self._temporary_model = (
            Model(TemporaryCredential, TEMPORARY_NEEDS, key="oauth_token", is_encrypted=sealed)
            if TemporaryCredential is not None
            else None
        )
        self._nonce_model = None if Nonce is None else Model(Nonce, NONCE_NEEDS, key="nonce")
        self._start(self._new_transactions())
        self._offer_hooks()

    def prepare(self, policy: Policy) -> None:
        """As `Store.prepare`.

        Raises:
            UnsuitableModelError: token credentials shall expire, and their model has no column for that.
        """
        super().prepare(policy)
        if policy.token_credential_lifetime is not None:
            self._token_model.require("expires_at", "OAuth1ExpiryMixin", "Policy.token_credential_lifetime")
        if self._cache is not None:
            self._cache.prepare(policy)

    async def open(self) -> None:
        """Check the tables, and open the store of `cache`.

        Raises:
            StoreError: the database does not answer; a table is missing; a column is shorter than its model's; or the
                keys are not those that the secrets are encrypted under.
        """
        self._start(self._new_transactions())
        try:
            await check_tables(self._transactions, self._models_with_secrets(), self.keys, self.url)
        except StoreUnavailableError as error:
            raise StoreError(f"{self.url}: cannot be used; the log says why") from error
        if self._cache is not None:
            await self._cache.open()
        self._bind()

    async def close(self) -> None:
        """Finish what is under way, and close the store of `cache`. The engine is the application's to dispose of."""
        if self._left_behind:
            return
        await self._look_ups.drain()
        if self._nonces is not None:
            await self._nonces.drain()
        await self._transactions.finish()
        if self._cache is not None:
            await self._cache.close()
        self._release()

    async def ping(self) -> None:
        """As `Store.ping`."""
        model = self._client_model.cls
        await self._transactions.run(lambda session: changed_rows(session, delete(model).where(false())))
        if self._cache is not None:
            await self._cache.ping()

    def _new_transactions(self) -> Transactions:
        return Transactions(self._sessions, self.url, self._timeout, one_at_a_time=self._is_sqlite)

    def _start(self, transactions: Transactions) -> None:
        """Make the parts; no I/O."""
        self._transactions = transactions
        self._left_behind = False
        self._clients: Clients[ClientT] = Clients(self._client_model, transactions, self)
        self._tokens: Tokens[TokenT] = Tokens(self._token_model, transactions, self)
        models = self._client_model, self._token_model
        together = have_one_bind(self._sessions, *(model.cls for model in models))
        self._look_ups: LookUps[ClientT, TokenT] = LookUps(*models, transactions, have_one_bind=together)
        self._temporary: TemporaryCredentials[TemporaryT] | None = None
        if self._temporary_model is not None:
            self._temporary = TemporaryCredentials(self._temporary_model, transactions, self)
        self._nonces: Nonces | None = (
            None if self._nonce_model is None else Nonces(self._nonce_model, transactions, self)
        )
        self._purges = PurgeSchedule(self.clock(), after_insertions=_PURGE_AFTER)

    def leave_behind(self) -> None:
        """As `ProcessBound.leave_behind`."""
        advice = "make the engine and open the store in each worker"
        left_behind: Any = LeftBehind(self.url, advice)
        self._start(left_behind)
        self._look_ups = left_behind
        if self._nonces is not None:
            self._nonces = left_behind
        self._left_behind = True

    def _offer_hooks(self) -> None:
        """Hide the hooks that no part can keep, and offer those of the cache."""
        if self._nonces is None:
            self._offer("exists_nonce", getattr(self._cache, "exists_nonce", None))
        temporary = self._temporary_model
        if temporary is None:
            for name in _TEMPORARY_HOOKS:
                self._offer(name, getattr(self._cache, name, None))
            self._offer("exchange", None)
            return
        if not temporary.has("wrong_verifiers"):
            self._offer("count_wrong_verifier", None)
        if not temporary.has("requested_scope"):
            self._offer("create_temporary_credential", self._create_without_scope)
        if not temporary.has("scope"):
            self._offer("create_authorization_verifier", self._approve_without_scope)
        else:
            self._token_model.require("scope", "OAuth1ScopeMixin", f"the scope of {temporary.cls.__name__}")
        if not have_one_bind(self._sessions, temporary.cls, self._token_model.cls):
            self._offer("exchange", None)  # two databases have no common transaction

    def _offer(self, name: str, hook: Any) -> None:
        """Offer a hook to servers that register this store; ``None`` if no part has it."""
        setattr(self, name, hook)

    async def _create_without_scope(self, token: dict[str, str], client_id: str, redirect_uri: str) -> TemporaryT:
        created = await self._kept_temporary().create(token, client_id, redirect_uri, "")
        self._purge_after(1)
        return created

    async def _approve_without_scope(self, credential: Any, grant_user: Any, verifier: str) -> bool:
        return await self._kept_temporary().approve(credential, grant_user, verifier, "")

    def _kept_temporary(self) -> TemporaryCredentials[TemporaryT]:
        if self._temporary is None:
            raise TypeError("the store has no TemporaryCredential")
        return self._temporary

    def _kept_nonces(self) -> Nonces:
        if self._nonces is None:
            raise TypeError("the store has no Nonce")
        return self._nonces

    def _models_with_secrets(self) -> list[Model[Any]]:
        models: list[Model[Any] | None] = [self._client_model, self._token_model, self._temporary_model]
        return [model for model in models if model is not None]

    def _purge_after(self, inserted: int) -> None:
        """Start a removal of expired rows if one is due; no request waits for it."""
        now = self.clock()
        if limit := self._purges.inserted(inserted, now):
            self._transactions.spawn(self._purge(now, limit))

    async def _purge(self, now: float, limit: int) -> None:
        for part in (self._nonces, self._temporary, self._tokens):
            if part is not None:
                with suppress(StoreUnavailableError, RefusedRowError):  # the next removal includes these rows
                    await self._transactions.run(partial(part.purge, now=now, limit=limit))


def _database_of(sessions: Callable[[], AsyncSession], cls: type[Any]) -> tuple[str, bool]:
    """The URL of a model's database, without its password, and whether it is SQLite's."""
    with suppress(SQLAlchemyError, AttributeError):
        bind: Any = sessions().get_bind(cls)
        return bind.engine.url.render_as_string(hide_password=True), bind.dialect.name == "sqlite"
    return "sqlalchemy://", False


def have_one_bind(sessions: Callable[[], AsyncSession], *models: type[Any]) -> bool:
    """Whether these models are in one database."""
    session = sessions()
    try:
        return len({id(session.get_bind(cls)) for cls in models}) == 1
    except SQLAlchemyError:  # it will be bound later: to one engine, unless it is told otherwise
        return True
