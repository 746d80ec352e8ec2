"""Sessions, whose identifiers are in Quart's signed cookie, and the CSRF tokens of forms."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping

from quart import abort, session

from .users import Users

# Characters. A temporary token has 42; proxies accept header lines of a few thousand.
_LONGEST_PAGE = 2_000
# A path of one segment with an optional query: a browser cannot read it as another host or a scheme, and removes no
# character from it, as it does with tabs and line breaks.
_OWN_PAGE = re.compile(r"/[A-Za-z0-9_-]*(?:\?[\x21\x22\x24-\x5b\x5d-\x7e]*)?")


async def signed_in_user(users: Users) -> str | None:
    """The user who is signed in; ``None`` if the session is missing, ended or expired."""
    session_id = session.get("session_id")
    return await users.session_user(session_id) if isinstance(session_id, str) else None


async def sign_in(users: Users, name: str) -> None:
    """Begin a new session, with a new identifier: this prevents session fixation."""
    await sign_out(users)
    session["session_id"] = await users.begin_session(name)


async def sign_out(users: Users) -> None:
    """End the session in the database, so that a copy of its cookie is useless too."""
    session_id = session.get("session_id")
    if isinstance(session_id, str):
        await users.end_session(session_id)
    session.clear()


def csrf_token() -> str:
    """The CSRF token for this session's forms."""
    if "csrf_token" not in session:
        session["csrf_token"] = secrets.token_urlsafe(32)
    return str(session["csrf_token"])


def require_csrf_token(form: Mapping[str, str]) -> None:
    """Refuse a form without this session's CSRF token, with 400."""
    expected, sent = str(session.get("csrf_token", "")), form.get("csrf_token", "")
    # As bytes: compare_digest accepts only ASCII text.
    if not expected or not hmac.compare_digest(expected.encode(), sent.encode()):
        abort(400, "This form is no longer valid. Go back, reload the page and try again.")


def local_page(target: str | None) -> str:
    """The target if it is a page of this site, else the home page."""
    return target if target and len(target) <= _LONGEST_PAGE and _OWN_PAGE.fullmatch(target) else "/"
