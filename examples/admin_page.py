"""The admin page behind a sign-in, on Starlette: `uvicorn examples.admin_page:app`, then http://127.0.0.1:8000/admin/.

``OPERATORS`` has the operators, as in ``alice:wonderland bob:builder``. Your application has users and a sign-in of its
own; what the page needs of them is the function ``operator``.
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from html import escape
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

from async_oauth1.admin.page import AdminPage
from async_oauth1.stores import open_store

OPERATORS = dict(entry.split(":", 1) for entry in os.environ.get("OPERATORS", "").split())
KEY = os.environ.get("SESSION_KEY") or secrets.token_urlsafe(32)  # the same in every process
store = open_store(os.environ.get("PROVIDER_STORE", "sqlite:///provider.db"))


async def operator(scope: MutableMapping[str, Any]) -> str | None:
    """The operator who is signed in; also checked for those who were removed since."""
    name = scope["session"].get("name")
    return name if name in OPERATORS else None


async def ask(request: Request) -> Response:
    """Ask for name and password."""
    wrong = "<p>This name and password do not match.</p>" if request.method == "POST" else ""
    return HTMLResponse(
        f"""<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>Sign in</title>
        <form method="post"><h1>Sign in</h1>{wrong}
        <label>Name <input name="name" value="{escape(request.query_params.get("name", ""))}"></label>
        <label>Password <input type="password" name="password"></label> <button>Sign in</button></form>""",
        403 if wrong else 200,
    )


async def sign_in(request: Request) -> Response:
    """Begin a session."""
    form = await request.form()
    name, password = str(form.get("name")), str(form.get("password"))
    if not hmac.compare_digest(OPERATORS.get(name, secrets.token_hex()).encode(), password.encode()):
        return await ask(request)
    request.session["name"] = name
    return RedirectResponse("/admin/", 303)


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    """Open the store as long as the application runs."""
    await store.migrate()
    async with store:
        yield


app = Starlette(
    lifespan=lifespan,
    # Strict: a form of another site is not sent with the session.
    middleware=[Middleware(SessionMiddleware, secret_key=KEY, same_site="strict", max_age=3600)],
    routes=[
        Route("/login", ask),
        Route("/login", sign_in, methods=["POST"]),
        Mount("/admin", AdminPage(store, operator=operator, secret_key=KEY, sign_in_url="/login")),
    ],
)
