"""The printer, a client of the provider: ``python -m examples.printer --provider http://127.0.0.1:8000``."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from typing import Any
from urllib.parse import parse_qs

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth1Client

from . import steps
from .browser import Browser
from .story import Story
from .wire import Wire

#: The printer's credentials, from its registration (RFC 5849 section 1.2).
CLIENT_ID = "dpf43f3p2l4k3l03"
CLIENT_SECRET = "kd94hf93k423kf44"
CALLBACK = "http://printer.example.com/ready"
PHOTO = "file=vacation.jpg&size=original"


class StoryError(Exception):
    """The provider's answer was not the expected one."""


async def print_photo(provider: str, username: str, password: str, wire: Wire) -> None:
    """Get credentials with a user's approval, and print one of the user's photos.

    Args:
        provider: base URL, without a slash at its end.
        username: the user who approves.
        password: the user's password.
        wire: sends the messages, and shows them.

    Raises:
        StoryError: the provider's answer was not the expected one.
    """
    # Two clients, because the printer must not have the cookies of Jane's browser.
    printer: Any = AsyncOAuth1Client(CLIENT_ID, CLIENT_SECRET, redirect_uri=CALLBACK, transport=wire)
    async with printer, httpx2.AsyncClient(transport=wire) as http:
        wire.secrets = (CLIENT_SECRET, "")
        wire.step(steps.SIGNS, answer=steps.GETS_TEMPORARY_CREDENTIALS)
        temporary = await printer.fetch_request_token(f"{provider}/initiate")
        require(temporary.get("oauth_callback_confirmed") == "true", "the callback was not confirmed")

        page = f"{provider}/authorize?oauth_token={temporary['oauth_token']}"
        location = await approve(Browser(http), page, username, password, wire)

        wire.step(steps.EXCHANGES)
        verifier = verifier_of(location, temporary["oauth_token"])
        token = await printer.fetch_access_token(f"{provider}/token", verifier=verifier)

        wire.secrets = (CLIENT_SECRET, token["oauth_token_secret"])
        wire.step(steps.ASKS, answer=steps.GETS_PHOTO)
        answer = await printer.get(f"{provider}/photos?{PHOTO}")
        require(answer.status_code == 200, f"the photo was refused: {answer.text}")
        require(answer.json().get("owner") == username, f"the photo is not {username}'s: {answer.text}")
        wire.print_photo(answer.text.strip())

        wire.step(steps.REPLAYS)
        replayed = await http.send(answer.request)
        require(wire.sent[-1] == wire.sent[-2], "the request was not repeated octet for octet")
        require(replayed.status_code == 401, f"the replay was answered with {replayed.status_code}, not with 401")
        wire.tell("The replay was refused, as it must be.")


async def approve(browser: Browser, url: str, username: str, password: str, wire: Wire) -> str:
    """Sign in as the user and approve; returns the URL of the redirect.

    Raises:
        StoryError: signing in failed, or there was no consent page.
    """
    try:
        wire.step(steps.SIGNS_IN)
        await browser.open(url)
        answer = await browser.submit("/login", username=username, password=password)
        require(answer.status_code == 302, f"{username} could not sign in")
        await browser.open(str(answer.url.join(answer.headers["Location"])))
        wire.step(steps.APPROVES)
        answer = await browser.submit("/authorize", decision="approve")
    except LookupError as error:
        raise StoryError(str(error)) from error
    require(answer.status_code == 302, f"the approval was answered with {answer.status_code}")
    return str(answer.headers["Location"])


def verifier_of(location: str, oauth_token: str) -> str:
    """The verifier in the redirect to the callback.

    Raises:
        StoryError: the redirect leads elsewhere, has another token, or has no verifier.
    """
    callback, _, query = location.partition("?")
    arrived = parse_qs(query)
    require(callback == CALLBACK, f"Jane was sent to {location}")
    require(arrived.get("oauth_token") == [oauth_token], "the redirect has another token")
    require(len(arrived.get("oauth_verifier", [])) == 1, "the redirect has no verifier")
    return arrived["oauth_verifier"][0]


def require(holds: object, otherwise: str) -> None:
    """Raise `StoryError` unless a condition holds."""
    if not holds:
        raise StoryError(otherwise)


def main() -> int:
    """Run the printer once; returns 1 if it fails."""
    parser = argparse.ArgumentParser(prog="printer", description="The OAuth 1.0 client in the example of RFC 5849.")
    parser.add_argument("--provider", default="http://127.0.0.1:8000", help="base URL (default: %(default)s)")
    parser.add_argument("--username", default="jane", help="the user who approves (default: %(default)s)")
    parser.add_argument("--password", default="wonderland", help="the user's password (default: that of the demo user)")
    parser.add_argument("--story", action="store_true", help="show each step on a screen, instead of every octet")
    parser.add_argument(
        "--no-color", action="store_true", help="print no colours; NO_COLOR in the environment does, too"
    )
    given = parser.parse_args()
    wire = (Story if given.story else Wire)(colored=not (given.no_color or os.environ.get("NO_COLOR")))
    try:
        asyncio.run(print_photo(given.provider.rstrip("/"), given.username, given.password, wire))
    except (StoryError, AuthlibBaseError, httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
        line = " ".join(str(error).split()) or type(error).__name__
        print(f"printer: {line}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
