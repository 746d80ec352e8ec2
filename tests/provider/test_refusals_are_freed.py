"""What is made for a request is freed once it is handled, errors above all, without the garbage collector."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from async_oauth1 import OAuth1Error, Policy, ResourceProtector
from async_oauth1.asgi import Retirement
from async_oauth1.asgi.verifying.announcing import raise_refused
from async_oauth1.errors import InvalidRequestError
from async_oauth1.provider.hooks.problems import TimedHook
from async_oauth1.provider.sync_driver import run_sync
from async_oauth1.tolerances import OTHER_HEADER_PARAMETERS
from tests.protocol.wire import NOW, Signer

from .provider import PRINTER, Clock, Provider


def is_freed(refuse: Callable[[], object]) -> bool:
    """Call what raises an exception, and say whether nothing keeps it."""
    gc.disable()
    try:
        try:
            refuse()
        except Exception as error:  # noqa: BLE001 - whatever it is
            kept = weakref.ref(error)
        else:
            raise AssertionError("nothing was raised")
        return kept() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("uniform_errors", [True, False])
@pytest.mark.parametrize("client_id", [PRINTER.client_id, "unknown"])
def test_a_wrong_signature(client_id: str, uniform_errors: bool) -> None:
    """Its error is freed, whether the answer is uniform or says more, and whether the client is known or not."""
    provider = Provider(Policy(uniform_errors=uniform_errors))
    signer = Signer(client_id, "wrong")

    def refuse() -> None:
        run_sync(provider.protector.validate_request(signer.wire().read(), two_legged=True))

    assert is_freed(refuse)


@pytest.mark.parametrize("uniform_errors", [True, False])
@pytest.mark.parametrize("secret", [PRINTER.client_secret, "wrong"])
def test_a_deviation(secret: str, uniform_errors: bool) -> None:
    """Its error is freed although the request keeps what it deviates in, for an explanation."""
    provider = Provider(Policy(uniform_errors=uniform_errors))
    signer = Signer(client_secret=secret)
    requests = []

    def refuse() -> None:
        wire = signer.wire()
        headers = tuple((name, value + b', more="1"') for name, value in wire.headers)
        requests.append(wire.changed(headers=headers).read())
        run_sync(provider.protector.validate_request(requests[-1], two_legged=True))

    assert is_freed(refuse)
    assert [name for name, _ in requests[-1].deviations] == [OTHER_HEADER_PARAMETERS]


@pytest.mark.parametrize("browned_out", [True, False])
def test_a_retirement(browned_out: bool) -> None:
    """The error of a brown-out replaces another one and is freed, as is one that is raised as it is."""
    begins = datetime.fromtimestamp(NOW, UTC) - timedelta(seconds=0 if browned_out else 120)
    retirement = Retirement(
        begins - timedelta(days=1),
        begins + timedelta(days=1),
        "https://provider.example/end",
        brownouts=[(begins, begins + timedelta(minutes=1))],
        text="Use OAuth 2.",
    )
    protector: Any = ResourceProtector(clock=Clock(), retirement=retirement)

    def refuse() -> None:
        try:
            raise InvalidRequestError("The request is malformed.")
        except OAuth1Error as error:
            raise_refused(error, protector, {"type": "http", "headers": []}, takes_bearer=False)

    assert is_freed(refuse)


async def test_a_cancellation_that_a_hook_handles() -> None:
    """A coroutine that is timed while it is awaited keeps no error that was thrown into it."""
    begun = asyncio.Event()
    errors: list[weakref.ref[BaseException]] = []

    async def hook() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            errors.append(weakref.ref(error))

    async def call() -> None:
        await TimedHook(hook())

    gc.disable()
    try:
        task = asyncio.create_task(call())
        await begun.wait()
        task.cancel()
        await task
        assert [error() for error in errors] == [None]
    finally:
        gc.enable()


async def test_what_a_timed_hook_was_called_with() -> None:
    """It is freed when the hook has returned: the coroutine's frame and that of its timer are in no cycle."""
    freed: list[weakref.ref[object]] = []

    async def hook(signer: Signer) -> None:
        freed.append(weakref.ref(signer))
        await asyncio.sleep(0)

    gc.disable()
    try:
        await TimedHook(hook(Signer()))
        assert [signer() for signer in freed] == [None]
    finally:
        gc.enable()
