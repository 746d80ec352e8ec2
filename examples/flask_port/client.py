"""An application that reads and writes jane's notes, with any of the three providers.

    python -m examples.flask_port.client http://127.0.0.1:5000

It also acts as jane's browser, which logs in and approves.
"""

from __future__ import annotations

import os
import re
import sys

import requests
from requests_oauthlib import OAuth1Session  # type: ignore[import-untyped]


def approve(url: str, address: str) -> str:
    """Log in and approve, as jane's browser.

    Args:
        url: the provider.
        address: the URL of the consent page.

    Returns:
        The URL of the redirect.
    """
    with requests.Session() as browser:
        form = {"name": "jane", "password": os.environ["NOTES_PASSWORD"]}
        browser.post(f"{url}/login", data=form, allow_redirects=False).raise_for_status()
        page = browser.get(address)
        page.raise_for_status()
        found = re.search(r"name=csrf value=([\w-]+)", page.text)
        form = {"csrf": found[1] if found else "", "granted": "1"}
        return browser.post(address, data=form, allow_redirects=False).headers["Location"]


def main(url: str) -> list[str]:
    """Get permission, write a note, and read all notes.

    Args:
        url: the provider.

    Returns:
        The notes.
    """
    secret = os.environ["NOTES_CLIENT_SECRET"]
    with OAuth1Session("printer", secret, callback_uri="http://printer.example/ready") as session:
        session.fetch_request_token(f"{url}/initiate")
        session.parse_authorization_response(approve(url, session.authorization_url(f"{url}/authorize")))
        session.fetch_access_token(f"{url}/token")
        session.post(f"{url}/notes", data={"text": "milk & café"}).raise_for_status()
        answer = session.get(f"{url}/notes")
        answer.raise_for_status()
        notes: list[str] = answer.json()
        return notes


if __name__ == "__main__":
    print(main(sys.argv[1]))
