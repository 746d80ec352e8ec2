"""The tokens in the forms of the admin page, against forms of other sites (CSRF) and forms that are sent twice."""

from __future__ import annotations

import hmac
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from async_oauth1.stores import TransientStore

__all__ = ["FormToken", "FormTokens"]

#: Seconds in which a form must be sent.
FORM_LIFETIME = 3600
#: Seconds in which a form that makes a secret must be sent. Stores remember nonces for longer by default.
SECRET_FORM_LIFETIME = 600
# Another process that made a form may have a clock that is ahead, in seconds.
_CLOCK_TOLERANCE = 60
_LEAST_KEY_BYTES = 16
# Stands for the client of a nonce.
_FORMS = "async-oauth1 admin page"
_FORM = re.compile(r"([0-9]{1,12})\.([A-Za-z0-9_-]{22})\.([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class FormToken:
    """A form token that holds.

    Attributes:
        identifier: of this form alone.
        made_at: Unix time.
    """

    identifier: str
    made_at: int


class FormTokens:
    """Makes and checks form tokens. They need no session: each holds for one operator, and for an hour."""

    def __init__(self, secret_key: str | bytes, store: TransientStore, clock: Callable[[], float] = time.time) -> None:
        """Take the key, the same in every process that serves the page.

        Args:
            secret_key: at least 16 bytes, such as the application's own for its sessions.
            store: remembers which forms were used, for every process.
            clock: Unix time, in seconds.

        Raises:
            ValueError: the key is too short.
        """
        key = secret_key.encode() if isinstance(secret_key, str) else secret_key
        if len(key) < _LEAST_KEY_BYTES:
            raise ValueError(f"secret_key has {len(key)} bytes; the admin page needs {_LEAST_KEY_BYTES} or more")
        # A key of its own: what the application signs with its key is never a form token.
        self._key = hmac.digest(key, b"async_oauth1 admin page", sha256)
        self._store = store
        self._clock = clock

    def make(self, operator: str) -> str:
        """Make a token for one form."""
        made_at, identifier = str(int(self._clock())), secrets.token_urlsafe(16)
        return f"{made_at}.{identifier}.{self._mac(operator, made_at, identifier)}"

    def check(self, text: str, operator: str) -> FormToken | None:
        """Check a token that a form has sent.

        Returns:
            The token; ``None`` if it was not made here for this operator, or has expired.
        """
        match = _FORM.fullmatch(text)
        if match is None:
            return None
        made_at, identifier, mac = match.groups()
        if not hmac.compare_digest(mac, self._mac(operator, made_at, identifier)):
            return None
        token = FormToken(identifier, int(made_at))
        return token if -_CLOCK_TOLERANCE <= self._age(token) < FORM_LIFETIME else None

    def makes_secrets(self, token: FormToken) -> bool:
        """Whether a form is new enough to make a secret."""
        return self._age(token) < SECRET_FORM_LIFETIME

    async def use(self, token: FormToken) -> bool:
        """Note that a form was used, as a nonce with the time of the form.

        It is never ahead of the clock: stores take the newest timestamps of their nonces for a time that has come.

        Returns:
            ``False`` if it was used before, in any process, or is so old that the store may have forgotten it.
        """
        return not await self._store.exists_nonce(token.identifier, str(token.made_at), _FORMS, None)

    def _age(self, token: FormToken) -> float:
        return self._clock() - token.made_at

    def _mac(self, operator: str, made_at: str, identifier: str) -> str:
        # The operator comes last: nothing that it contains can be taken for another part.
        return hmac.new(self._key, f"{made_at}.{identifier}.{operator}".encode(), sha256).hexdigest()
