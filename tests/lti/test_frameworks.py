"""Launches are read from the requests of frameworks."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import flask
import pytest
from quart import Quart
from quart import request as quart_request

from async_oauth1 import OAuth1Error, OAuth1Request, run_sync
from async_oauth1.lti import LTIConsumer, LTITool, launch_error_response
from async_oauth1.quart import read_request
from async_oauth1.stores import MemoryStore

from .consumer import BASIC, FORM, KEY, SECRET, signed

URL = "http://localhost/launch?custom_page=3"


@pytest.fixture
def tool() -> LTITool:
    """A tool with nonces in memory."""
    return LTITool(lambda key: LTIConsumer(client_id=key, client_secret=SECRET), MemoryStore().exists_nonce)


def form(**signing: Any) -> bytes:
    """A launch that is signed now."""
    return urlencode(signed({**BASIC, "context_title": "Dürer"}, URL, timestamp=int(time.time()), **signing)).encode()


@pytest.mark.parametrize("reads_first", [True, False])
async def test_quart(tool: LTITool, reads_first: bool) -> None:
    """Quart's proxy is read by the tool, or by the adapter; the view can read the form afterwards."""
    app = Quart(__name__)

    @app.post("/launch")
    async def launch() -> Any:
        read: Any = await read_request(None, tool.policy) if reads_first else quart_request
        assert isinstance(read, OAuth1Request) is reads_first
        try:
            verified = await tool.verify_launch(read)
        except OAuth1Error as error:
            answer = launch_error_response(error)
            return answer.body, answer.status_code, answer.headers
        return {"user": verified.user_key, "title": (await quart_request.form)["context_title"]}

    client = app.test_client()
    target, headers = URL.removeprefix("http://localhost"), {"Content-Type": FORM[1].decode()}
    body = form()
    answers = [await client.post(target, data=body, headers=headers) for _ in range(2)]
    assert await answers[0].get_json() == {"user": [KEY, "user-1"], "title": "Dürer"}
    assert answers[1].status_code == 401
    assert "used before" in await answers[1].get_data(as_text=True)


def test_flask(tool: LTITool) -> None:
    """Flask needs no event loop."""
    app = flask.Flask(__name__)

    @app.post("/launch")
    def launch() -> Any:
        try:
            verified = run_sync(tool.verify_launch(flask.request))
        except OAuth1Error as error:
            answer = launch_error_response(error)
            return answer.body, answer.status_code, answer.headers
        return {"user": verified.user_key, "title": flask.request.form["context_title"]}

    client, body = app.test_client(), form()
    answers = [client.post("/launch?custom_page=3", data=body, content_type=FORM[1].decode()) for _ in range(2)]
    assert answers[0].get_json() == {"user": [KEY, "user-1"], "title": "Dürer"}
    assert answers[1].status_code == 401
    assert "used before" in answers[1].text


def test_a_hook_that_waits_needs_a_loop(tool: LTITool) -> None:
    """Without one, the mistake is named."""

    async def waiting(key: str) -> None:
        await asyncio.sleep(0)

    tool.register_hook("query_consumer", waiting)
    app = flask.Flask(__name__)
    context = app.test_request_context(
        "/launch?custom_page=3", method="POST", data=form(), content_type=FORM[1].decode()
    )
    with context, pytest.raises(RuntimeError, match="no event loop"):
        run_sync(tool.verify_launch(flask.request))


async def test_the_first_program_of_the_page(repository: Path) -> None:
    """The program that `docs/lti.md` begins with accepts a launch, and answers a copy with a page."""
    page = (repository / "docs" / "lti.md").read_text(encoding="utf-8")
    program: dict[str, Any] = {"__name__": "tool"}
    exec(page.split("```python\n")[1].partition("```")[0], program)
    secret = program["consumers"][KEY].client_secret
    fields = {**BASIC, "lis_person_name_full": "Jane Roe", "context_title": "History", "roles": "Instructor"}
    body = urlencode(signed(fields, "http://localhost/launch", secret=secret, timestamp=int(time.time()))).encode()
    client, headers = program["app"].test_client(), {"Content-Type": FORM[1].decode()}
    answers = [await client.post("/launch", data=body, headers=headers) for _ in range(2)]
    assert await answers[0].get_data(as_text=True) == "Jane Roe of History (teaches)"
    assert answers[1].status_code == 401
    assert answers[1].headers["Content-Type"].startswith("text/html")
