"""Many sign-ins at once do not delay those of others."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from urllib.parse import urlencode

import httpx2
import pytest

from examples.photos import passwords
from examples.photos.passwords import PER_ADDRESS, QUEUE, Passwords, TooManySignInsError
from examples.photos.settings import SettingsError, read_settings
from tests.examples.jane import Jane
from tests.examples.running import REAL_HASHES, Photos, photos

from .stored import found

CROWD = 100


async def _crowd(running: Photos, jane: Jane) -> tuple[list[bytes], httpx2.Response]:
    """Many forms with different names from one address; the provider finds all of them there at once.

    Returns:
        The answers to them, and the answer to jane's, who signs in from another address after the first of them.
    """
    token = jane.csrf_token()
    connections = [
        await asyncio.open_connection("127.0.0.1", running.port, local_addr=("127.0.0.2", 0)) for _ in range(CROWD)
    ]
    os.killpg(running.process.pid, signal.SIGSTOP)
    for number, (_, writer) in enumerate(connections):
        writer.write(_form(running, jane.cookie, {"csrf_token": token, "username": f"name {number}", "password": "x"}))
        await writer.drain()
    os.killpg(running.process.pid, signal.SIGCONT)
    reading = [asyncio.ensure_future(reader.read()) for reader, _ in connections]
    await asyncio.wait(reading, return_when=asyncio.FIRST_COMPLETED)
    fields = {"csrf_token": token, "username": "jane", "password": "wonderland"}
    answer = await asyncio.to_thread(jane.http.post, "/login", data=fields)
    answers = await asyncio.gather(*reading)
    for _, writer in connections:
        writer.close()
    return answers, answer


def _form(running: Photos, cookie: str, fields: dict[str, str]) -> bytes:
    body = urlencode(fields)
    lines = [
        "POST /login HTTP/1.1",
        f"Host: 127.0.0.1:{running.port}",
        f"Cookie: photos_session={cookie}",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    return "\r\n".join([*lines, "", body]).encode()


async def test_many_sign_ins_from_one_address_do_not_delay_others() -> None:
    """Most of them are refused with 503, and jane can sign in from another address."""
    with photos(module=REAL_HASHES) as running, Jane(running.url) as jane:
        answers, answer = await _crowd(running, jane)
        assert answer.status_code == 302
        statuses = Counter(answer.split(b" ", 2)[1] for answer in answers)
        assert set(statuses) == {b"403", b"503"}
        assert statuses[b"503"] > CROWD / 2
        assert all(b"\r\nretry-after: 2\r\n" in answer.lower() for answer in answers if b" 503 " in answer[:20])
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
