"""Many sign-ins at once do not delay those of others."""

from __future__ import annotations

import asyncio
from collections import Counter

import httpx2
import pytest

from examples.photos import passwords
from examples.photos.passwords import PER_ADDRESS, QUEUE, Passwords, TooManySignInsError
from examples.photos.settings import SettingsError, read_settings
from tests.examples.jane import Jane
from tests.examples.running import Photos, photos

from .stored import found

CROWD = 400


async def _crowd(running: Photos, jane: Jane, address: str) -> tuple[Counter[int], set[str | None], httpx2.Response]:
    """Send many forms with different names; meanwhile, jane signs in from another address."""
    token, cookies = jane.csrf_token(), {"photos_session": jane.cookie}
    limits = httpx2.Limits(max_connections=CROWD)

    async def sign_in(browser: httpx2.AsyncClient, name: str, password: str) -> httpx2.Response:
        fields = {"csrf_token": token, "username": name, "password": password}
        return await browser.post(f"{running.url}/login", data=fields)

    def browser_at(local_address: str) -> httpx2.AsyncClient:
        transport = httpx2.AsyncHTTPTransport(local_address=local_address, limits=limits)
        return httpx2.AsyncClient(transport=transport, cookies=cookies, timeout=120)

    async with browser_at(address) as crowd, browser_at("127.0.0.1") as hers:
        sent = [asyncio.ensure_future(sign_in(crowd, f"name {number}", "x")) for number in range(CROWD)]
        await asyncio.wait(sent, return_when=asyncio.FIRST_COMPLETED)
        answer = await sign_in(hers, "jane", "wonderland")
        answers = await asyncio.gather(*sent)
    refused = [answer for answer in answers if answer.status_code == 503]
    return (
        Counter(answer.status_code for answer in answers),
        {answer.headers.get("Retry-After") for answer in refused},
        answer,
    )


async def test_many_sign_ins_from_one_address_do_not_delay_others() -> None:
    """Most of them are refused with 503, and jane can sign in from another address."""
    with photos() as running, Jane(running.url) as jane:
        statuses, retry_after, answer = await _crowd(running, jane, "127.0.0.2")
        assert answer.status_code == 302
        assert set(statuses) == {403, 503}
        assert statuses[503] > CROWD / 2
        assert retry_after == {"2"}
        assert jane.sign_in().status_code == 302


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Checks wait until this event is set."""
    released = asyncio.Event()

    async def wait(_work: object) -> bool:
        await released.wait()
        return True

    monkeypatch.setattr(passwords, "_in_thread", wait)
    return released


async def _outcomes(checks: list[asyncio.Task[bool]], held: asyncio.Event) -> Counter[object]:
    for _ in range(5):
        await asyncio.sleep(0)
    held.set()
    outcomes = await asyncio.gather(*checks, return_exceptions=True)
    return Counter(outcome if isinstance(outcome, bool) else type(outcome) for outcome in outcomes)


async def test_an_address_has_a_share_of_the_queue(held: asyncio.Event) -> None:
    """The share is independent of the names, leaves room for other addresses, and is freed again."""
    checker = Passwords()
    crowd = [asyncio.ensure_future(checker.check(f"{number}", "192.0.2.1", found(None), "x")) for number in range(50)]
    other = asyncio.ensure_future(checker.check("jane", "192.0.2.2", found(None), "x"))
    assert await _outcomes(crowd, held) == {True: PER_ADDRESS, TooManySignInsError: 50 - PER_ADDRESS}
    assert await other
    assert await checker.check("jane", "192.0.2.1", found(None), "x")
    assert not checker._by_address


async def test_the_queue_is_limited_for_all_addresses(held: asyncio.Event) -> None:
    """A check is refused at once while the queue is full."""
    checker = Passwords()
    crowd = [asyncio.ensure_future(checker.check("x", f"192.0.2.{number}", found(None), "x")) for number in range(100)]
    assert await _outcomes(crowd, held) == {True: QUEUE, TooManySignInsError: 100 - QUEUE}
    assert await checker.check("x", "192.0.2.200", found(None), "x")


async def test_a_refused_sign_in_makes_no_look_up(held: asyncio.Event) -> None:
    """A look-up may open a connection to the database."""
    asked: list[str] = []

    async def find(name: str) -> None:
        asked.append(name)

    checker = Passwords()
    crowd = [asyncio.ensure_future(checker.check(f"{number}", "192.0.2.1", find, "x")) for number in range(50)]
    await _outcomes(crowd, held)
    assert len(asked) == PER_ADDRESS


async def test_cancelled_sign_ins_free_their_places(held: asyncio.Event) -> None:
    """Otherwise the queue would stay full."""
    checker = Passwords()
    crowd = [
        asyncio.ensure_future(checker.check(f"{number}", "192.0.2.1", found(None), "x"))
        for number in range(PER_ADDRESS)
    ]
    await asyncio.sleep(0.01)
    for check in crowd:
        check.cancel()
    await asyncio.gather(*crowd, return_exceptions=True)
    held.set()
    assert await checker.check("jane", "192.0.2.1", found(None), "x")


def test_proxies_are_set_by_flag_or_environment() -> None:
    """The value is a list of networks; anything else is an error."""
    settings = read_settings(["--trusted-proxies", "10.0.0.0/8, ::1"], {"PHOTOS_TRUSTED_PROXIES": "192.0.2.1"})
    assert settings.trusted_proxies == ("10.0.0.0/8", "::1")
    assert read_settings([], {"PHOTOS_TRUSTED_PROXIES": "192.0.2.1"}).trusted_proxies == ("192.0.2.1",)
    with pytest.raises(SettingsError, match="--trusted-proxies must be a list of networks"):
        read_settings(["--trusted-proxies", "10.0.0.1/8"], {})
