"""The programs of the documentation's page run as they are written, and do what it says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.attacks.provider import CLIENT, JANE, add_credentials
from tests.attacks.signer import Message, sign
from tests.attacks.wire import call


async def test_the_programs_of_the_page(repository: Path) -> None:
    """One after the other, in one module."""
    page = (repository / "docs" / "fastapi.md").read_text(encoding="utf-8")
    first, errors, overrides, limit, server = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    module: dict[str, Any] = {"__name__": "page"}
    exec(compile(first, "first", "exec"), module)
    await add_credentials(module["store"])
    app = module["app"]
    assert (await call(app, sign(JANE, "GET", "/photos"))).json == {"owner": "jane"}
    assert (await call(app, sign(CLIENT, "GET", "/signed"))).json == {"client": "client"}
    unsigned = Message(method="GET", target=b"/greeting", headers=((b"host", b"provider.example"),))
    assert (await call(app, unsigned)).json == {"hello": "stranger"}
    exec(compile(first + errors, "errors", "exec"), module)
    refused = await call(module["app"], sign(JANE, "GET", "/photos", signature=b"x"))
    assert (refused.status, refused.body) == (401, b"invalid_signature")
    exec(compile(overrides, "overrides", "exec"), module)
    photos = Message(method="GET", target=b"/photos", headers=unsigned.headers)
    assert (await call(module["app"], photos)).json == {"owner": "jane"}
    exec(compile(limit + server, "server", "exec"), module)
    await add_credentials(module["store"])
    initiate = sign(CLIENT, "POST", "/oauth/initiate", oauth={"callback": "oob"})
    assert (await call(module["app"], initiate)).status == 200
    form = (*unsigned.headers, (b"content-type", b"application/x-www-form-urlencoded"))
    large = Message(method="POST", target=b"/authorize", headers=form, body=b"x" * (17 * 1024 * 1024))
    assert (await call(module["app"], large)).status == 413
