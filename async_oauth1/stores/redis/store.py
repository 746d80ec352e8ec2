"""The Redis store: nonces and temporary credentials on one server, behind Sentinels or in a Cluster.

Redis and Valkey work alike. How long they keep data depends on their configuration. With ``appendonly yes`` and
``appendfsync always`` a server that is killed or loses power keeps all that it has confirmed; with ``everysec`` it may
lose two seconds. With ``maxmemory-policy noeviction`` a full server refuses requests and evicts no nonces.
`RedisStore.open` warns if the append-only file is off, and refuses a server that may evict nonces.

The server's clock, and not that of the workers, decides when a key expires.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol, TypeVar

from async_oauth1.credentials import TemporaryCredential
from async_oauth1.errors import StoreUnavailableError, TooManyPendingError
from async_oauth1.provider.hooks import resolve
from async_oauth1.stores.base import (
    GONE,
    is_text,
    new_temporary_credential,
    nonce_key,
    nonce_seconds,
    required_text,
    user_id_of,
)
from async_oauth1.stores.batching import Batcher
from async_oauth1.stores.forks import LeftBehind
from async_oauth1.stores.row_mapping import temporary_place

from . import scripts
from .checks import check_server, opening_error
from .exchanges import ExchangesInRedis
from .node import Moved, RedisNode, Script
from .nonce_writer import NonceWriter
from .pings import ping_masters
from .records import temporary_credential
from .topology import Topology, open_topology
from .url import Address, RedisSettings

__all__ = ["RedisStore"]

_log = logging.getLogger(__name__)

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

# What a key contains, after the prefix: temporary credentials, how many of a client are pending or ended, a ping.
_CREDENTIAL, _PENDING, _ENDED, _PING = b"t", b"s", b"e", b"p"


class _NodeCall(Protocol[T_co]):
    """A call to the node that has a key; ``asking`` as for `RedisNode.read`."""

    def __call__(self, node: RedisNode, key: bytes, /, *, asking: bool) -> Coroutine[object, object, T_co]: ...


class RedisStore(ExchangesInRedis):
    """The hooks for nonces and temporary credentials."""

    shared = True

    _topology: Topology | None
    _left_behind: bool

    def __init__(
        self,
        url: str,
        *,
        nonce_lifetime: int | None = None,
        clock: Callable[[], float] = time.time,
        keys: Sequence[str] = (),
    ) -> None:
        """Parse the URL; no I/O.

        Args:
            url: ``redis://user:password@host:port/database``, the same with ``rediss://`` for TLS,
                ``redis+sentinel://host:port,host:port/service`` or ``redis+cluster://host:port,host:port``. Options
                in the query: ``timeout`` (seconds that any call may take; 2), ``max_connections`` (20), ``prefix`` (of
                every key; ``oauth1``), ``eviction`` (``allowed`` accepts a server that may evict nonces), ``provider``
                (a name that distinguishes providers with the same prefix), ``wait_replicas`` (replicas that must
                confirm a write, if there are so many; 1 for Sentinels and Clusters, else 0), ``tls`` (1 or 0),
                ``ssl_ca_certs``, ``ssl_certfile``, ``ssl_keyfile``, ``ssl_cert_reqs``, ``sentinel_username``,
                ``sentinel_password``.
            nonce_lifetime: seconds; ``None`` for the longest that a server's policy asks for.
            clock: Unix time, in seconds: for the age of a nonce's timestamp. Keys expire by the server's clock.
            keys: that secrets and verifiers are encrypted under, newest first.

        Raises:
            StoreError: the URL or one of the keys is not valid.
        """
        self._settings = RedisSettings.from_url(url)
        super().__init__(url, nonce_lifetime=nonce_lifetime, clock=clock, keys=keys)
        self._closed = False
        self._warned: set[tuple[Address, str]] = set()  # each warning is logged once, although `migrate` opens too
        self._reset()

    @property
    def round_trips(self) -> int:
        """How many were made to the servers."""
        return self._topology.round_trips() if self._topology is not None else 0

    async def migrate(self) -> None:
        """Check that the servers can be used; there are no tables to create.

        Raises:
            StoreError: they cannot be used.
        """
        if self._topology is not None and not self._left_behind:
            return
        await self.open()
        await self.close()

    async def open(self) -> None:
        """Connect, and check how the servers are configured.

        Raises:
            StoreError: a server cannot be reached, refuses the password, or may evict nonces.
        """
        if self._left_behind:
            self._reset()
        if self._topology is not None:
            return
        topology = open_topology(self._settings)
        try:
            for node in await topology.masters():
                (info,) = await node.read(("INFO",))
                check_server(self._settings, node.address, info, self._warned)
        except (StoreUnavailableError, Moved) as error:
            await topology.close()
            raise opening_error(self._settings, error) from error
        except BaseException:  # also when cancelled: the connections would stay open
            await topology.close()
            raise
        self._topology, self._closed = topology, False
        self._bind()

    async def close(self) -> None:
        """Finish what is under way and disconnect. Safe to repeat."""
        if self._left_behind:
            return
        self._closed = True
        await self._nonces.drain()
        await self._pings.drain()
        while self._tasks:
            await asyncio.wait(self._tasks)
        topology, self._topology = self._topology, None
        if topology is not None:
            await topology.close()
        self._release()

    async def ping(self) -> None:
        """Raise `StoreUnavailableError` unless every master answers and accepts a nonce.

        The script that inserts nonces writes a key to each master, which expires after some seconds.
        """
        await self._pings.ask(None)

    async def exists_nonce(self, nonce: str, timestamp: str, client_id: str, oauth_token: str | None) -> bool:
        """Remember a nonce and say whether it was known, in one atomic step (RFC 5849 section 3.3)."""
        key = self._nonces.prefix + nonce_key(nonce, timestamp, client_id, oauth_token)
        node = self._require_topology().known_node_for(key)
        if node is not None:
            known = await self._nonces.insert(node, key)
        else:
            try:
                async with asyncio.timeout(self._settings.timeout):
                    known = await self._nonces.insert(await self._require_topology().node_for(key), key)
            except TimeoutError as error:
                raise StoreUnavailableError() from error
        return known or self.is_stale(nonce_seconds(timestamp))

    async def create_temporary_credential(
        self, token: dict[str, str], client_id: str, redirect_uri: str, *, scope: str = ""
    ) -> TemporaryCredential:
        """Keep new temporary credentials (section 2.1).

        Raises:
            TooManyPendingError: the client has as many as it may have.
            ValueError: the token is taken, or text that cannot be stored.
        """
        credential = new_temporary_credential(token, client_id, redirect_uri, scope)
        values = {
            "provider": self._provider,
            "secret": self.keys.seal(credential.oauth_token_secret, temporary_place(credential.oauth_token)[0]),
            "client_id": client_id,
            "callback": redirect_uri,
            "requested_scope": scope,
        }
        lifetime = self.temporary_credential_lifetime * 1000
        pairs = [part for pair in values.items() for part in pair]
        limit = self.max_pending_per_client
        if not await self._run(scripts.ADD_PENDING, self._pending_name(client_id), limit, lifetime, kind=_PENDING):
            raise TooManyPendingError()
        if not await self._run(scripts.CREATE, credential.oauth_token, lifetime, *pairs):
            await self._remove_pending(self._pending_name(client_id))
            raise ValueError("oauth_token is taken: the token generator repeats itself")
        return credential

    async def get_temporary_credential(self, oauth_token: str) -> TemporaryCredential | None:
        """Look up temporary credentials; ``None`` once expired, denied or taken."""
        if not is_text(oauth_token):
            return None
        values = await self._read_credential(oauth_token)
        return temporary_credential(oauth_token, values, self.keys) if self._is_own(oauth_token, values) else None

    async def get_ended_temporary_credential(self, oauth_token: str) -> TemporaryCredential | None:
        """As the hook `GetEndedTemporaryCredential`."""
        values = await self._read_credential(oauth_token) if is_text(oauth_token) else {}
        is_own = values.get(b"ended") == self._provider.encode()
        return temporary_credential(oauth_token, values, self.keys) if is_own else None

    async def _read_credential(self, oauth_token: str) -> dict[bytes, bytes]:
        async def read(node: RedisNode, key: bytes, *, asking: bool) -> dict[bytes, bytes]:
            (values,) = await node.read(("HGETALL", key), asking=asking)
            return dict(values)

        return await self._call_owner(oauth_token, read)

    def _is_own(self, oauth_token: str, values: dict[bytes, bytes]) -> bool:
        if values.get(b"provider") == self._provider.encode():
            return True
        # The other provider may have a client with the same identifier and secret, but its users are different.
        if b"provider" in values:
            reason = "belongs to another provider, see the option provider"
            _log.info("%s: the token %.8s... %s", self.url, oauth_token, reason)
        return False

    async def delete_temporary_credential(self, oauth_token: str) -> bool:
        """Take temporary credentials; of concurrent callers one gets ``True``, and none if they have expired."""
        return is_text(oauth_token) and await self._end(scripts.TAKE, oauth_token)

    async def create_authorization_verifier(
        self, credential: Any, grant_user: Any, verifier: str, *, scope: str = ""
    ) -> bool:
        """As `TransientStore.create_authorization_verifier`."""
        oauth_token = await resolve(credential.get_oauth_token())
        user_id = await user_id_of(grant_user)
        required_text(verifier=verifier, oauth_token=oauth_token, scope=scope)
        sealed = self.keys.seal(verifier, temporary_place(oauth_token)[1])
        return bool(await self._run(scripts.APPROVE, oauth_token, self._provider, user_id, sealed, scope))

    async def deny_temporary_credential(self, oauth_token: str) -> bool:
        """Record a refusal by removing the credentials; ``False`` if they were decided before, or are gone."""
        return is_text(oauth_token) and await self._end(scripts.DENY, oauth_token)

    async def count_wrong_verifier(self, oauth_token: str) -> int:
        """Count a wrong verifier and return how many there were; more than any limit if the credentials are gone."""
        if not is_text(oauth_token):
            return GONE
        count = int(await self._run(scripts.COUNT_WRONG_VERIFIER, oauth_token, self._provider))
        return count if count > 0 else GONE

    @property
    def _provider(self) -> str:
        """The owner of temporary credentials: another provider with the same prefix must not approve or take them."""
        return self._settings.provider or self._settings.prefix.decode()

    def _pending_name(self, client_id: str) -> str:
        return f"{self._provider}\0{client_id}"

    async def _end(self, script: Script, oauth_token: str) -> bool:
        """End credentials with a script that returns their client."""
        client_id: bytes | None = await self._run(script, oauth_token, self._provider)
        if client_id:
            name = self._pending_name(client_id.decode(errors="surrogateescape"))
            await asyncio.gather(self._remove_pending(name), self._limit_ended(name, oauth_token))
        return client_id is not None

    async def _remove_pending(self, name: str) -> None:
        with suppress(StoreUnavailableError):  # the count expires soon
            await self._run(scripts.REMOVE_PENDING, name, kind=_PENDING)

    async def _limit_ended(self, name: str, oauth_token: str) -> None:
        """Count ended credentials of a client, and remove these if there are too many already."""
        limit, lifetime = self.max_ended_per_client, self.temporary_credential_lifetime * 1000
        with suppress(StoreUnavailableError):  # they expire soon
            if not await self._run(scripts.ADD_PENDING, name, limit, lifetime, kind=_ENDED):
                await self._run(scripts.FORGET_ENDED, oauth_token)

    async def _run(self, script: Script, name: str, *arguments: str | int, kind: bytes = _CREDENTIAL) -> Any:
        async def run(node: RedisNode, key: bytes, *, asking: bool) -> Any:
            return await node.run(script, [key], arguments, asking=asking)

        return await self._call_owner(name, run, kind=kind)

    async def _call_owner(self, name: str, call: _NodeCall[T], *, kind: bytes = _CREDENTIAL) -> T:
        """Call the node that has a key. The call is completed even if the caller is cancelled."""
        key = self._settings.prefix + kind + name.encode(errors="surrogateescape")
        task = asyncio.create_task(self._call_with_redirect(key, call))
        self._tasks.add(task)
        task.add_done_callback(self._task_done)
        await asyncio.wait({task})
        return task.result()

    async def _call_with_redirect(self, key: bytes, call: _NodeCall[T]) -> T:
        """Call the node that has a key, or the node that it redirects to."""
        topology = self._require_topology()
        try:
            async with asyncio.timeout(self._settings.timeout):
                node = await topology.node_for(key)
                try:
                    return await call(node, key, asking=False)
                except Moved as moved:
                    return await call(self._redirect(node, moved), key, asking=moved.asking)
        except (Moved, TimeoutError) as error:
            raise StoreUnavailableError() from error

    def _redirect(self, node: RedisNode, moved: Moved) -> RedisNode:
        if not moved.asking:  # the slot has a new owner for good
            _log.info("%s: a slot has moved from %s:%d to %s:%d", self.url, *node.address, *moved.address)
            node.distrust(None)
        return self._require_topology().node_at(moved.address)

    async def _answer_pings(self, callers: Sequence[None]) -> Mapping[None, None]:
        await ping_masters(self._require_topology(), self._settings.prefix + _PING, self._call_with_redirect)
        return dict.fromkeys(callers)

    def _reset(self) -> None:
        self._pings = Batcher(self._answer_pings, fail_together=True)
        self._nonces = NonceWriter(self._settings, self._redirect, lambda: self.nonce_lifetime, self.clock)
        self._topology = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._left_behind = False

    def leave_behind(self) -> None:
        """As `ProcessBound.leave_behind`."""
        self._reset()
        unusable: Any = LeftBehind(self.url)
        self._topology = self._pings = unusable
        self._closed, self._left_behind = False, True

    def _require_topology(self) -> Topology:
        if self._closed:
            raise StoreUnavailableError()
        if self._topology is None:
            raise RuntimeError(f"{self.url}: the store is used before it was opened; await store.open() first")
        return self._topology

    def _task_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # retrieved, so that asyncio does not report it if the caller has gone
