"""Load on a store while its servers are killed, frozen and cut off, and a check of all its answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from async_oauth1.credentials import TokenCredential
from async_oauth1.errors import StoreUnavailableError
from async_oauth1.stores import Store, StoreError, TransientStore, open_store

__all__ = ["PATIENCE", "TIMEOUT", "Account", "impatient", "ticks_until_refused", "under_load"]

#: Seconds after which a store that does not come back is given up.
PATIENCE = 60.0
#: Seconds that a call of an impatient store may take.
TIMEOUT = 1.0
#: Callers that ask for nonces, some that hang up in the middle of a batch, and some that go through the whole flow.
NONCE_CALLERS = 10
IMPATIENT_CALLERS = 2
FLOW_CALLERS = 4
_TICK = 0.01


@dataclass
class Account:
    """The answers of a store, and checks of them.

    Attributes:
        accepted: nonces that were answered to be new.
        replays: nonces that were answered to be new more than once.
        taken: temporary credentials that were taken, with the token credentials made of them.
        taken_twice: temporary credentials that were taken more than once.
        lost: token credentials that were answered and are gone.
        refused: requests that would get a 503.
        slowest_refusal: how long one of them took at most, in seconds.
        longest_stall: how long the event loop did nothing else at most, in seconds.
        back_after: seconds from the end of the fault to the first answer.
        unaudited: what was not looked at again, for the store refused: a master may do so once more when the one that
            it has relieved comes back.
        errors: whatever else was raised, which would be a 500.
    """

    accepted: list[str] = field(default_factory=list)
    replays: int = 0
    taken: list[str] = field(default_factory=list)
    taken_twice: int = 0
    lost: int = 0
    refused: int = 0
    slowest_refusal: float = 0.0
    longest_stall: float = 0.0
    back_after: float | None = None
    unaudited: int = 0
    errors: list[BaseException] = field(default_factory=list)

    @property
    def is_audited(self) -> bool:
        """Whether four fifths of the accepted nonces were sent again."""
        return self.unaudited <= 0.2 * (len(self.accepted) + len(self.taken))

    def assert_safe(self) -> None:
        """Check that nothing was accepted twice or lost, and that no unexpected error was raised."""
        assert self.errors == []
        assert self.replays == 0
        assert self.taken_twice == 0
        assert self.lost == 0
        assert self.accepted
        assert self.taken
        assert self.back_after is not None
        assert self.is_audited


class _Load:
    def __init__(self, store: TransientStore) -> None:
        self.store = store
        self.account = Account()
        self.stopping = False
        self.answered_at = 0.0
        self.timestamp = str(int(time.time()))

    async def ask(self, question: Awaitable[object]) -> object:
        """The answer; None if the store was unavailable."""
        began = time.monotonic()
        try:
            answer = await question
        except StoreUnavailableError:
            self.account.refused += 1
            self.account.slowest_refusal = max(self.account.slowest_refusal, time.monotonic() - began)
            await asyncio.sleep(0.02)  # as a client would, if only for longer
            return None
        except Exception as error:  # noqa: BLE001 - counted
            self.account.errors.append(error)
            await asyncio.sleep(0.02)
            return None
        self.answered_at = time.monotonic()
        return answer

    def nonce(self, name: str) -> Awaitable[bool]:
        return self.store.exists_nonce(name, self.timestamp, "client", "token")

    async def use_nonces(self, caller: int) -> None:
        """Send each nonce twice, the second time from another caller."""
        number = 0
        while not self.stopping:
            number += 1
            name = f"{caller}-{number}"
            answers = await asyncio.gather(self.ask(self.nonce(name)), self.ask(self.nonce(name)))
            self.account.replays += answers.count(False) == 2
            if False in answers:
                self.account.accepted.append(name)

    async def hang_up(self, caller: int) -> None:
        """Send each nonce twice, and cancel the first caller at a random moment."""
        number = 0
        while not self.stopping:
            number += 1
            name = f"left{caller}-{number}"
            leaver, stayer = (asyncio.create_task(self.ask(self.nonce(name))) for _ in range(2))
            for _ in range(1 + number % 8):
                await asyncio.sleep(0)
            leaver.cancel()
            await asyncio.wait({leaver, stayer})
            answers = [task.result() for task in (leaver, stayer) if not task.cancelled()]
            self.account.replays += answers.count(False) == 2
            if False in answers:
                self.account.accepted.append(name)

    async def run_flows(self, caller: int) -> None:
        """Create and approve temporary credentials, and take them from two callers at once."""
        number = 0
        while not self.stopping:
            number += 1
            name = f"flow{caller}-{number}"
            token = {"oauth_token": name, "oauth_token_secret": "s"}
            credential = await self.ask(self.store.create_temporary_credential(token, "client", "oob"))
            if credential is None:
                continue
            if await self.ask(self.store.create_authorization_verifier(credential, "jane", "verifier")) is not True:
                continue
            takes = await asyncio.gather(*(self.take(credential, f"{name}-{copy}") for copy in range(2)))
            self.account.taken_twice += sum(bool(take) for take in takes) == 2
            if any(takes):
                self.account.taken.append(name)

    def take(self, credential: object, name: str) -> Awaitable[object]:
        if isinstance(self.store, Store):
            return self.ask(self.store.exchange(credential, {"oauth_token": name, "oauth_token_secret": "s"}))
        return self.ask(self.store.delete_temporary_credential(credential.oauth_token))  # type: ignore[attr-defined]

    async def watch_loop(self) -> None:
        while not self.stopping:
            began = time.monotonic()
            await asyncio.sleep(_TICK)
            self.account.longest_stall = max(self.account.longest_stall, time.monotonic() - began - _TICK)

    async def wait_for_answer(self, after: float) -> float:
        """The time of the first answer after a moment."""
        deadline = time.monotonic() + PATIENCE
        while self.answered_at <= after:
            if time.monotonic() > deadline:
                raise TimeoutError("the store did not come back")
            await asyncio.sleep(_TICK)
        return self.answered_at

    async def work(self, seconds: float) -> None:
        """Go on for some time, and until a nonce was accepted and a flow has ended."""
        await asyncio.sleep(seconds)
        async with asyncio.timeout(PATIENCE):
            while not (self.account.accepted and self.account.taken):
                await asyncio.sleep(_TICK)

    async def audit(self) -> None:
        """Use everything again: all nonces must be known, all temporary credentials gone, all tokens there."""
        for names in _in_portions(self.account.accepted):
            answers = await asyncio.gather(*(self.ask(self.nonce(name)) for name in names))
            self.account.replays += answers.count(False)
            self.account.unaudited += answers.count(None)
        for names in _in_portions(self.account.taken):
            takes = (self.ask(self.store.delete_temporary_credential(name)) for name in names)
            answers = await asyncio.gather(*takes)
            self.account.taken_twice += answers.count(True)
            self.account.unaudited += answers.count(None)
        if isinstance(self.store, Store):
            kept = {token.oauth_token.rpartition("-")[0] for token in await self.tokens(self.store)}
            self.account.lost += len(set(self.account.taken) - kept)

    async def tokens(self, store: Store) -> list[TokenCredential]:
        """All token credentials. Asking for them changes nothing, so it is repeated until the store answers."""
        async with asyncio.timeout(PATIENCE):
            while True:
                with suppress(StoreUnavailableError):
                    return await store.list_token_credentials()


async def ticks_until_refused(account: Account) -> int:
    """Wait until callers are refused again, and return how often the event loop did something else meanwhile."""
    before, ticks = account.refused, 0
    async with asyncio.timeout(PATIENCE):
        while account.refused == before:
            await asyncio.sleep(_TICK)
            ticks += 1
    return ticks


Disturb = Callable[[Callable[..., Awaitable[None]]], Awaitable[None]]


@asynccontextmanager
async def impatient(url: str) -> AsyncIterator[TransientStore]:
    """A store whose calls soon time out, once the machine was idle enough to open it."""
    store: TransientStore = open_store(f"{url}{'&' if '?' in url else '?'}timeout={TIMEOUT}")
    async with asyncio.timeout(PATIENCE):
        while True:
            with suppress(StoreError):
                await store.open()
                break
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def under_load(store: TransientStore, *, warm_up: float = 0.5) -> AsyncIterator[Account]:
    """Load before, during and after the body, which does the damage and mends it; then the account is audited.

    The servers are blocking objects: use `asyncio.to_thread` for what takes time.
    """
    load = _Load(store)
    callers = [asyncio.create_task(load.use_nonces(caller)) for caller in range(NONCE_CALLERS)]
    callers += [asyncio.create_task(load.hang_up(caller)) for caller in range(IMPATIENT_CALLERS)]
    callers += [asyncio.create_task(load.run_flows(caller)) for caller in range(FLOW_CALLERS)]
    callers.append(asyncio.create_task(load.watch_loop()))
    try:
        await load.wait_for_answer(0.0)
        await load.work(warm_up)
        yield load.account
        mended = time.monotonic()
        load.account.back_after = await load.wait_for_answer(mended) - mended
        await asyncio.sleep(warm_up)
    finally:
        load.stopping = True
        await asyncio.wait(callers, timeout=PATIENCE)
    await load.audit()


def _in_portions(names: list[str]) -> list[list[str]]:
    """Twenty portions, so that one that is refused leaves out little, however few names there are."""
    size = min(100, 1 + len(names) // 20)
    return [names[start : start + size] for start in range(0, len(names), size)]
