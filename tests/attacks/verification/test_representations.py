"""What Python shows of messages and credentials contains no secret: a traceback, a debugger or asyncio may log it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from async_oauth1.explain import WireRequest
from async_oauth1.provider.responses import OAuth1Response, form_response
from async_oauth1.testing.server import Token

SECRET = "kd94hf93k423kf44"
HEADER = (b"Authorization", f'OAuth oauth_signature_method="PLAINTEXT", oauth_signature="{SECRET}%26"'.encode())


@pytest.mark.parametrize(
    "shown",
    [
        form_response([("oauth_token", "token"), ("oauth_token_secret", SECRET)]),
        OAuth1Response(302, "", [("Location", f"https://printer.example.com/ready?oauth_verifier={SECRET}")]),
        Token("token", SECRET),
        WireRequest(method="GET", scheme="https", host="a.example", path=b"/", headers=(HEADER,)),
        WireRequest(
            method="GET", scheme="https", host="a.example", path=b"/", query=f"oauth_signature={SECRET}".encode()
        ),
        WireRequest(method="POST", scheme="https", host="a.example", path=b"/", body=f"secret={SECRET}".encode()),
    ],
    ids=["credentials", "redirect", "token", "header", "query", "body"],
)
def test_no_secret_is_shown(shown: object) -> None:
    """Neither of the object itself nor of what is read from it."""
    parameters = shown.parameters if isinstance(shown, WireRequest) else ()
    assert SECRET not in f"{shown!r} {shown} {parameters}"


async def test_asyncios_debug_mode_logs_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    """It logs a slow task with its result, here the answer with token credentials."""
    answer = form_response([("oauth_token", "token"), ("oauth_token_secret", SECRET)])

    async def issue() -> OAuth1Response:
        return answer

    loop: Any = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 0  # every step counts as slow
    with caplog.at_level(logging.DEBUG, "asyncio"):
        assert await asyncio.create_task(issue()) == answer
        await asyncio.sleep(0)
    loop.set_debug(False)
    assert "<OAuth1Response 200>" in caplog.text
    assert SECRET not in caplog.text
