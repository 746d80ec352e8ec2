"""Who is signed in, by Quart's signed cookie; and the proof that a form comes from one of these pages."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping

from quart import abort, session

from .users import Users

# Characters; a temporary token has 42, and the longest header line that all proxies let through a few thousand.
_LONGEST_PAGE = 2_000
# A page of this site, with a query: nothing that a browser could take for another host or a scheme, or would clean
# before it looks.
_OWN_PAGE = re.compile(r"/[A-Za-z0-9_-]*(?:\?[\x21\x22\x24-\x5b\x5d-\x7e]*)?")


async def signed_in_user(users: Users) -> str | None:
    """The user whose session this is, as long as it has not ended."""
    session_id = session.get("session_id")
    return await users.session_user(session_id) if isinstance(session_id, str) else None


async def sign_in(users: Users, name: str) -> None:
    """Begin a new session: nothing of the one before is kept, so a planted one gains nothing."""
    await sign_out(users)
    session["session_id"] = await users.begin_session(name)


async def sign_out(users: Users) -> None:
    """End the session: a copy of its cookie opens nothing any more."""
    session_id = session.get("session_id")
    if isinstance(session_id, str):
        await users.end_session(session_id)
    session.clear()


def csrf_token() -> str:
    """The token for this session's forms."""
    if "csrf_token" not in session:
        session["csrf_token"] = secrets.token_urlsafe(32)
    return str(session["csrf_token"])


def require_csrf_token(form: Mapping[str, str]) -> None:
    """Refuse a form that another site may have sent, with 400."""
    expected, sent = str(session.get("csrf_token", "")), form.get("csrf_token", "")
    # As bytes: compare_digest takes no text beyond ASCII.
    if not expected or not hmac.compare_digest(expected.encode(), sent.encode()):
        abort(400, "This form is no longer valid. Go back, reload the page and try again.")


def local_page(target: str | None) -> str:
    """A page of this site; the first one for anything else."""
    return target if target and len(target) <= _LONGEST_PAGE and _OWN_PAGE.fullmatch(target) else "/"
