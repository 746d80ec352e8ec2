"""The tool: a Quart application that verifies launches, and sends the grade of a learner's work."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from quart import Quart, Response, make_response, redirect, render_template, request, send_file

from async_oauth1 import OAuth1Error
from async_oauth1.lti import launch_error_response

from .grades import send_grade
from .sessions import SESSION_SECONDS, Session
from .settings import Settings
from .storage import Storage

__all__ = ["STYLE_SHEET", "create_tool"]

#: The style sheet of the example `photos`.
STYLE_SHEET = Path(__file__).parents[1] / "photos" / "static" / "style.css"

# Courses show the tool in a frame, so there are no frame-ancestors. If you know your consumers, name them.
_POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'"


def create_tool(settings: Settings, storage: Storage) -> Quart:
    """Make the application."""
    app = Quart(__name__)
    pages = _Pages(settings, storage)
    app.add_url_rule("/", view_func=pages.home)
    app.add_url_rule("/style.css", view_func=pages.style)
    app.add_url_rule("/launch", view_func=pages.launch, methods=["POST"])
    app.add_url_rule("/open", view_func=pages.open, methods=["POST"])
    app.add_url_rule("/activity", view_func=pages.activity)
    app.add_url_rule("/grade", view_func=pages.grade, methods=["POST"])
    app.add_url_rule("/window", view_func=pages.window, methods=["POST"])
    app.register_error_handler(OAuth1Error, pages.refuse_launch)
    app.after_request(_add_headers)
    return app


def _add_headers(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", _POLICY)
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    if request.endpoint not in ("static", "style"):
        response.headers["Cache-Control"] = "no-store"
    return response


class _Pages:
    """The pages. A session comes with the cookie, or in a field of the form if the browser does not keep the cookie."""

    def __init__(self, settings: Settings, storage: Storage) -> None:
        self._settings, self._tool, self._sessions = settings, storage.tool, storage.sessions
        # The prefix keeps other hosts of the same domain from setting the cookie. It needs https.
        self._cookie_name = "__Host-lti" if settings.public_url.startswith("https:") else "lti"

    async def home(self) -> str:
        return await render_template("home.html")

    async def style(self) -> Response:
        return await send_file(STYLE_SHEET)

    async def launch(self) -> Any:
        """Verify a launch, and open its session. The form comes from the course's site."""
        launch = await self._tool.verify_launch(request)
        session, code = await self._sessions.begin(launch)
        response = await make_response(await render_template("opening.html", code=code))
        response.headers.add("Set-Cookie", self._cookie(session))
        return response

    async def refuse_launch(self, error: OAuth1Error) -> Any:
        """The page of a launch that is refused, and of a store that is down."""
        answer = launch_error_response(error, debug=self._settings.debug)
        return await make_response(answer.body, answer.status_code, answer.headers)

    async def open(self) -> Any:
        """Exchange the one-time code. This form comes from the tool's page, so cookies are sent if they are kept."""
        session = await self._sessions.exchange((await request.form).get("code", ""))
        if session is None:
            return await self._refuse("This page can be opened once, within a minute. Open the activity again.")
        kept = await self._cookie_session()
        if kept is not None and kept.id == session.id:
            return redirect("/activity", 303)
        return await self._show(session, handle=session.id)

    async def activity(self) -> Any:
        session = await self._cookie_session()
        if session is None:
            return await self._refuse("Your session has ended. Open the activity again.")
        return await self._show(session)

    async def grade(self) -> Any:
        """Send the grade of the one who has launched."""
        found = await self._form_session()
        if found is None:
            return await self._refuse("Your session has ended, or another launch has replaced it.")
        session, handle = found
        await send_grade(session, (await request.form).get("percent", ""), self._tool.get_client_by_id)
        await self._sessions.save(session)
        return await self._show(session, handle) if handle else redirect("/activity", 303)

    async def window(self) -> Any:
        """Continue in a window of its own, in which the tool is no third party and its cookies are kept."""
        found = await self._form_session()
        if found is None:
            return await self._refuse("Your session has ended. Open the activity again.")
        response = await make_response(redirect("/activity", 303))
        response.headers.add("Set-Cookie", self._cookie(found[0]))
        return response

    async def _cookie_session(self) -> Session | None:
        return await self._sessions.find(request.cookies.get(self._cookie_name, ""))

    def _cookie(self, session: Session) -> str:
        """A cookie that browsers send from a frame, and keep apart for each course's site.

        Browsers take ``Secure`` over http from a loopback address, except Safari, which then gets the other way.
        """
        return (
            f"{self._cookie_name}={session.id}; Path=/; Max-Age={SESSION_SECONDS}; "
            "HttpOnly; Secure; SameSite=None; Partitioned"
        )

    async def _form_session(self) -> tuple[Session, str] | None:
        """The session of a form, and its handle if the form brings it. A form of another site has no form token."""
        form = await request.form
        handle = form.get("session", "")
        session = await self._sessions.find(handle) if handle else await self._cookie_session()
        token = form.get("form_token", "").encode()
        if session is None or not secrets.compare_digest(token, session.form_token.encode()):
            return None
        return session, handle

    async def _show(self, session: Session, handle: str = "") -> str:
        signed = {name: value for name, value in session.fields.items() if name != "oauth_signature"}
        shown = {"session": session, "launch": session.launch, "signed": signed, "handle": handle}
        return await render_template("activity.html", **shown)

    async def _refuse(self, reason: str) -> Any:
        return await make_response(await render_template("refused.html", reason=reason), 403)
