"""The Redis store: nonces and temporary credentials, on one server, behind Sentinels or in a Cluster.

Redis and Valkey serve alike. What they keep they keep for as long as they are configured to: with
``appendonly yes`` a killed server forgets nothing that it has confirmed, and with ``appendfsync always`` neither does a
machine that loses its power; with ``maxmemory-policy noeviction`` a full server refuses requests rather than forget a
nonce. `RedisStore.open` warns if the first is not so, and refuses a server that may evict nonces.

Times are the server's own: its clock, and not the workers', says when something has expired.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

from async_oauth1.credentials import TemporaryCredential
from async_oauth1.errors import StoreError, StoreUnavailableError, TooManyPendingError
from async_oauth1.provider.hooks import resolve
from async_oauth1.stores.base import (
    GONE,
    BaseStore,
    is_text,
    new_temporary_credential,
    nonce_key,
    nonce_seconds,
    required_text,
    user_id_of,
)
from async_oauth1.stores.batching import Batcher, NonceBatcher
from async_oauth1.stores.forks import LeftBehind
from async_oauth1.stores.row_mapping import temporary_place

from . import scripts
from .checks import check_server
from .connections import Command
from .node import Moved, RedisNode, Script
from .records import credential_of
from .topology import Servers, servers_of
from .url import RedisSettings

__all__ = ["RedisStore"]

_log = logging.getLogger(__name__)

# What a key is about: temporary credentials, or how many of them a client has.
_CREDENTIAL, _SHARE = b"t", b"s"

# How long the key of a `ping` lives. If it is there already, its `SET NX` is refused all the same when others would be.
_PROBE_SECONDS = 10


class RedisStore(BaseStore):
    """The hooks of nonces and temporary credentials."""

    shared = True

    _servers: Servers | None
    _left_behind: bool

    def __init__(
        self,
        url: str,
        *,
        nonce_lifetime: int | None = None,
        clock: Callable[[], float] = time.time,
        keys: Sequence[str] = (),
    ) -> None:
        """Read the URL; no I/O.

        Args:
            url: ``redis://user:password@host:port/database``, the same with ``rediss://`` over TLS,
                ``redis+sentinel://host:port,host:port/service`` or ``redis+cluster://host:port,host:port``. Options
                in its query: ``timeout`` (seconds that any call may take, 2 unless given), ``max_connections``,
                ``prefix`` (of every key; ``oauth1``), ``eviction`` (``allowed`` accepts a server that may evict
                nonces), ``provider`` (a name that tells apart providers with the same
                prefix), ``wait_replicas`` (how many must confirm a write where so many follow; 1 for
                Sentinels and Clusters, else 0), ``tls`` (1 or 0), ``ssl_ca_certs``, ``ssl_certfile``, ``ssl_keyfile``,
                ``ssl_cert_reqs``, ``sentinel_username``, ``sentinel_password``.
            nonce_lifetime: seconds; ``None`` for the longest that a server's policy asks for.
            clock: Unix time, in seconds: how old a nonce's timestamp is. What is kept expires by the server's own.
            keys: that secrets and verifiers are encrypted under, newest first.

        Raises:
            StoreError: the URL is not understood, or one of the keys is not valid.
        """
        self._settings = RedisSettings.from_url(url)
        super().__init__(url, nonce_lifetime=nonce_lifetime, clock=clock, keys=keys)
        self._closed = False
        self._begin()

    @property
    def round_trips(self) -> int:
        """How often servers were asked so far."""
        return self._servers.round_trips() if self._servers is not None else 0

    async def migrate(self) -> None:
        """Check that the servers can be used; there are no tables to create.

        Raises:
            StoreError: they cannot.
        """
        if self._servers is not None and not self._left_behind:
            return
        await self.open()
        await self.close()

    async def open(self) -> None:
        """Connect, and warn of servers that keep less than nonces need.

        Raises:
            StoreError: a server cannot be reached, refuses the password, or may evict nonces.
        """
        if self._left_behind:
            self._begin()
        if self._servers is not None:
            return
        servers = servers_of(self._settings)
        try:
            for node in await servers.masters():
                (info,) = await node.read(("INFO",))
                check_server(self._settings, node.address, info)
        except (StoreUnavailableError, Moved) as error:
            await servers.close()
            raise StoreError(f"{self.url}: {_reason(error)}") from error
        except BaseException:  # also when cancelled: the connections would stay open
            await servers.close()
            raise
        self._servers, self._closed = servers, False
        self._bind()

    async def close(self) -> None:
        """Finish what is under way and disconnect. Safe to repeat."""
        if self._left_behind:
            return
        self._closed = True
        for batcher in self._batchers.values():
            await batcher.drain()
        await self._pings.drain()
        while self._tasks:
            await asyncio.wait(self._tasks)
        servers, self._servers = self._servers, None
        self._batchers.clear()
        if servers is not None:
            await servers.close()
        self._release()

    async def ping(self) -> None:
        """Raise `StoreUnavailableError` unless every server answers and takes a nonce.

        A key that expires after seconds is written to each, by the script that nonces are written by.
        """
        await self._pings.ask(None)

    async def exists_nonce(self, nonce: str, timestamp: str, client_id: str, oauth_token: str | None) -> bool:
        """Remember a nonce and say whether it was known, in one atomic step (RFC 5849 section 3.3)."""
        key = self._settings.prefix + b"n" + nonce_key(nonce, timestamp, client_id, oauth_token)
        node = self._require_servers().known_node_for(key)
        if node is not None:
            known = await self._batcher(node).ask(key)
        else:
            try:
                async with asyncio.timeout(self._settings.timeout):
                    known = await self._batcher(await self._require_servers().node_for(key)).ask(key)
            except TimeoutError as error:
                raise StoreUnavailableError() from error
        return known or self.is_stale(nonce_seconds(timestamp))

    async def create_temporary_credential(
        self, token: dict[str, str], client_id: str, redirect_uri: str
    ) -> TemporaryCredential:
        """Keep new temporary credentials (section 2.1).

        Raises:
            TooManyPendingError: as many as the client may have.
            ValueError: the token is taken, or text that cannot be stored.
        """
        credential = new_temporary_credential(token, client_id, redirect_uri)
        values = {
            "provider": self._provider,
            "secret": self.keys.seal(credential.oauth_token_secret, temporary_place(credential.oauth_token)[0]),
            "client_id": client_id,
            "callback": redirect_uri,
        }
        lifetime = self.temporary_credential_lifetime * 1000
        pairs = [part for pair in values.items() for part in pair]
        limit = self.max_pending_per_client
        if not await self._run(scripts.TAKE_SHARE, self._share_of(client_id), limit, lifetime, kind=_SHARE):
            raise TooManyPendingError()
        if not await self._run(scripts.CREATE, credential.oauth_token, lifetime, *pairs):
            await self._give_back(client_id.encode())
            raise ValueError("oauth_token is taken: the token generator repeats itself")
        return credential

    async def get_temporary_credential(self, oauth_token: str) -> TemporaryCredential | None:
        """Look temporary credentials up; ``None`` once expired, denied or taken."""
        if not is_text(oauth_token):
            return None

        async def read(node: RedisNode, key: bytes, *, asking: bool) -> TemporaryCredential | None:
            (found,) = await node.read(("HGETALL", key), asking=asking)
            return credential_of(oauth_token, found, self.keys) if self._is_ours(oauth_token, found) else None

        credential: TemporaryCredential | None = await self._on_node(oauth_token, read)
        return credential

    def _is_ours(self, oauth_token: str, found: dict[bytes, bytes]) -> bool:
        if not found or found.get(b"provider") == self._provider.encode():
            return True
        # Its client may be known here, too, under the same secret; its users are others.
        _log.info("%s: the token %.8s... belongs to another provider, see the option provider", self.url, oauth_token)
        return False

    async def delete_temporary_credential(self, oauth_token: str) -> bool:
        """Take temporary credentials; of any number of callers one gets ``True``, and none once they expired."""
        return is_text(oauth_token) and await self._remove(scripts.TAKE, oauth_token)

    async def create_authorization_verifier(self, credential: Any, grant_user: Any, verifier: str) -> bool:
        """Bind user and verifier to temporary credentials; ``False`` where they were decided before, or are gone."""
        oauth_token = await resolve(credential.get_oauth_token())
        user_id = await user_id_of(grant_user)
        required_text(verifier=verifier, oauth_token=oauth_token)
        sealed = self.keys.seal(verifier, temporary_place(oauth_token)[1])
        return bool(await self._run(scripts.APPROVE, oauth_token, self._provider, user_id, sealed))

    async def deny_temporary_credential(self, oauth_token: str) -> bool:
        """Record a refusal by removing the credentials; ``False`` where they were decided before, or are gone."""
        return is_text(oauth_token) and await self._remove(scripts.DENY, oauth_token)

    async def count_wrong_verifier(self, oauth_token: str) -> int:
        """Count a wrong verifier and return how many there were; more than any limit where they are gone."""
        if not is_text(oauth_token):
            return GONE
        count = int(await self._run(scripts.COUNT, oauth_token, self._provider))
        return count if count > 0 else GONE

    @property
    def _provider(self) -> str:
        """Whose temporary credentials these are: what an approval in another provider must not touch."""
        return self._settings.provider or self._settings.prefix.decode()

    def _share_of(self, client_id: str) -> str:
        return f"{self._provider}\0{client_id}"

    async def _remove(self, script: Script, oauth_token: str) -> bool:
        """Remove credentials by a script that returns their client, whose share they leave."""
        client_id: bytes | None = await self._run(script, oauth_token, self._provider)
        if client_id:
            await self._give_back(client_id)
        return client_id is not None

    async def _give_back(self, client_id: bytes) -> None:
        with suppress(StoreUnavailableError):  # the count begins anew before long
            await self._run(scripts.GIVE_BACK, self._share_of(client_id.decode(errors="surrogateescape")), kind=_SHARE)

    async def _run(self, script: Script, name: str, *arguments: str | int, kind: bytes = _CREDENTIAL) -> Any:
        async def run(node: RedisNode, key: bytes, *, asking: bool) -> Any:
            return await node.run(script, [key], arguments, asking=asking)

        return await self._on_node(name, run, kind=kind)

    async def _on_node(self, name: str, work: _OnNode, *, kind: bytes = _CREDENTIAL) -> Any:
        """Do something where a key is kept, to the end, whatever becomes of the caller."""
        key = self._settings.prefix + kind + name.encode(errors="surrogateescape")
        task = asyncio.create_task(self._follow(key, work))
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        await asyncio.wait({task})
        return task.result()

    async def _follow(self, key: bytes, work: _OnNode) -> Any:
        """Do something on the node that has a key, or else on the one that this node sends us to."""
        servers = self._require_servers()
        try:
            async with asyncio.timeout(self._settings.timeout):
                node = await servers.node_for(key)
                try:
                    return await work(node, key, asking=False)
                except Moved as moved:
                    return await work(self._follow_to(node, moved), key, asking=moved.asking)
        except (Moved, TimeoutError) as error:
            raise StoreUnavailableError() from error

    def _follow_to(self, node: RedisNode, moved: Moved) -> RedisNode:
        if not moved.asking:  # what we know of the Cluster is out of date
            node.distrust(f"a slot has moved to {moved.address[0]}:{moved.address[1]}")
        return self._require_servers().node_at(moved.address)

    async def _remember(self, node: RedisNode, keys: Sequence[bytes]) -> Collection[bytes]:
        try:
            if self._settings.kind == "cluster" or len(keys) == 1:
                return await self._remember_each(node, keys)
            fresh = await node.run(scripts.REMEMBER, keys, self._lifetimes(keys))
        except (Moved, TimeoutError) as error:
            raise StoreUnavailableError() from error
        return {key for key, digit in zip(keys, fresh, strict=True) if digit == b"1"[0]}

    async def _remember_each(self, node: RedisNode, keys: Sequence[bytes]) -> Collection[bytes]:
        """One command per key: in a Cluster a script may not touch keys of different slots."""
        deadline = asyncio.get_running_loop().time() + self._settings.timeout
        fresh: set[bytes] = set()
        elsewhere: dict[tuple[RedisNode, bool], list[bytes]] = {}
        for key, answer in zip(keys, await node.write_each(self._set_commands(keys)), strict=True):
            if isinstance(answer, Moved):
                elsewhere.setdefault((self._follow_to(node, answer), answer.asking), []).append(key)
            elif answer:
                fresh.add(key)
        for (other, asking), moved_keys in elsewhere.items():
            async with asyncio.timeout_at(deadline):
                answers = await other.write(*self._set_commands(moved_keys), asking=asking)
            fresh.update(key for key, answer in zip(moved_keys, answers, strict=True) if answer)
        return fresh

    def _set_commands(self, keys: Sequence[bytes]) -> list[Command]:
        lifetimes = zip(keys, self._lifetimes(keys), strict=True)
        return [("SET", key, b"1", "NX", "EX", lifetime) for key, lifetime in lifetimes]

    def _lifetimes(self, keys: Sequence[bytes]) -> list[int]:
        """Seconds from now: until the timestamp, which a key holds, is as old as the lifetime of nonces, or longer."""
        start, now, lifetime = len(self._settings.prefix) + 1, int(self.clock()), self.nonce_lifetime
        return [lifetime + max(0, int.from_bytes(key[start : start + 4], "big") - now) for key in keys]

    async def _answer_ping(self, questions: Sequence[None]) -> Mapping[None, None]:
        """One write at a time to each server, however many ask."""
        servers = self._require_servers()
        probes = [(node, servers.key_at(node, self._settings.prefix + b"p")) for node in await servers.masters()]
        for node, key in probes:
            (info,) = await node.read(("INFO", "replication"))
            if info.get("role") != "master":
                node.distrust("is no master")  # so that the next one finds who has taken over
                raise StoreUnavailableError()
            await self._follow(key, _probe)
        return dict.fromkeys(questions)

    def _batcher(self, node: RedisNode) -> NonceBatcher[bytes]:
        """One batch at a time for each node: one that does not answer does not hold up the others."""
        batcher = self._batchers.get(node)
        if batcher is None:
            batcher = self._batchers[node] = NonceBatcher(partial(self._remember, node), fail_together=True)
        return batcher

    def _begin(self) -> None:
        self._pings = Batcher(self._answer_ping, fail_together=True)
        self._servers = None
        self._batchers: dict[RedisNode, NonceBatcher[bytes]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._left_behind = False

    def leave_behind(self) -> None:
        """As `ProcessBound.leave_behind`."""
        self._begin()
        nothing: Any = LeftBehind(self.url)
        self._servers = self._pings = nothing
        self._closed, self._left_behind = False, True

    def _require_servers(self) -> Servers:
        if self._closed:
            raise StoreUnavailableError()
        if self._servers is None:
            raise RuntimeError(f"{self.url}: the store is used before it was opened; await store.open() first")
        return self._servers

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # retrieved, so that asyncio does not report it when the caller has gone


class _OnNode(Protocol):
    def __call__(self, node: RedisNode, key: bytes, /, *, asking: bool) -> Coroutine[object, object, Any]: ...


async def _probe(node: RedisNode, key: bytes, *, asking: bool) -> None:
    await node.run(scripts.REMEMBER, [key], [_PROBE_SECONDS], asking=asking)


def _reason(error: BaseException) -> str:
    while isinstance(error, StoreUnavailableError) and error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, TimeoutError):
        return "does not answer in time"
    if isinstance(error, StoreUnavailableError):
        return "cannot be used"
    return " ".join(str(error).split()) or type(error).__name__
