"""A provider that serves in a thread. What it is made of is imported when it starts: pytest imports this always."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from .serving import GRACE, TIMEOUT, ServerInThread

if TYPE_CHECKING:
    from async_oauth1.provider.authorization_server import AuthorizationDecision
    from async_oauth1.serve.provider import Provider
    from async_oauth1.serve.records import RecordedRequest
    from async_oauth1.serve.settings import ClientCredentials, Settings

__all__ = ["OAuth1Server", "Token"]


class Token(NamedTuple):
    """Token credentials.

    Attributes:
        oauth_token: sent with each request.
        oauth_token_secret: the second half of the signing key.
    """

    oauth_token: str
    oauth_token_secret: str

    def __repr__(self) -> str:
        """Show the token alone."""
        return f"Token(oauth_token={self.oauth_token!r})"


class OAuth1Server(ServerInThread):
    """An OAuth 1.0 provider on a free port of 127.0.0.1, with everything in memory.

    It serves in a thread, so its methods can be called in plain and in async tests. Its resources are ``/echo`` (wants
    a token), ``/signed`` and ``/launch`` (want none), and everything below the first two; all answer what arrived.

    Attributes:
        url: such as ``http://127.0.0.1:40123``, without a slash at the end.
    """

    name = "OAuth 1.0 provider"

    def __init__(
        self,
        *,
        like: str | None = None,
        consent: Literal["automatic", "deny", "ask"] = "automatic",
        user: str = "alice",
    ) -> None:
        """Prepare a provider; `start`, or ``with``, starts it.

        Args:
            like: the provider to imitate: a value of ``async-oauth1 serve --like``.
            consent: whether the authorization page approves or denies at once, or asks.
            user: the one that is signed in at first.

        Raises:
            ValueError: there is no such provider to imitate.
        """
        super().__init__()
        self._like, self._user = like, user
        self._mode: Literal["automatic", "deny", "ask"] = consent
        self._provider: Provider

    def client(self, *, methods: Sequence[str] = (), callbacks: Sequence[str] = ()) -> ClientCredentials:
        """Register a client with random credentials.

        Args:
            methods: the signature methods enabled for it; all by default. With one of RSA's it has a key pair.
            callbacks: the callbacks that it may use; by default any, ``oob`` included.

        Raises:
            ValueError: an unknown method.
            OAuth1Error: a callback that no client can use.
        """
        methods = methods or [name for name in self._provider.settings.preset.signature_methods if self._is_usual(name)]
        return self._wait_for(self._provider.add_client(methods=methods, callbacks=callbacks))

    def _is_usual(self, method: str) -> bool:
        """Whether a method needs no key pair, which takes long to make, or there are no others."""
        return not method.startswith("RSA") or not self._provider.settings.preset.uses_secret

    def token(self, client: ClientCredentials, user: str | None = None) -> Token:
        """Issue token credentials without the three legs.

        Args:
            client: of this server.
            user: the one that the client acts for; by default the one that is signed in.

        Raises:
            ValueError: there is no such client.
        """
        found = self._wait_for(self._provider.issue_token(client.client_id, user or self._signed_in()))
        return Token(*found)

    def login(self, user: str) -> None:
        """Sign a user in at the provider, in every browser. The authorization page then asks for no password."""
        self._provider.consent.user = user

    def consent(
        self,
        decision: Literal["approve", "deny", "automatic", "ask"] = "approve",
        oauth_token: str | None = None,
    ) -> AuthorizationDecision | None:
        """Decide on the pending authorization request, or say what the authorization page does from now on.

        Args:
            decision: ``approve`` or ``deny`` the pending request, as the signed-in user would; or let the page decide,
                ``automatic`` for approving everything, ``ask`` for asking.
            oauth_token: the temporary token to decide on; by default the one that was issued last.

        Returns:
            The decision, with ``verifier`` and ``location``, to which a browser would be redirected; ``None`` if
            nothing was decided.

        Raises:
            LookupError: no authorization request is pending.
            OAuth1Error: the token is unknown, or was decided before.
            ValueError: an unknown decision.
        """
        if decision in ("automatic", "ask"):
            self._provider.consent.mode = decision
            return None
        if decision not in ("approve", "deny"):
            raise ValueError(f'A decision is "approve", "deny", "automatic" or "ask", not {decision!r}.')
        pending = oauth_token or self._provider.issued.newest_temporary
        if pending is None:
            raise LookupError("No authorization request is pending: the client has asked for no temporary credentials.")
        user = self._signed_in() if decision == "approve" else None
        return self._wait_for(self._provider.decide(pending, user))

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests that have arrived, the oldest first, each with its explanation; no secret is in any of them."""
        return self._provider.records.wait(TIMEOUT)

    def clear(self) -> None:
        """Forget the requests."""
        self._provider.records.wait(TIMEOUT)
        self._provider.records.clear()

    def fail_next(self, code: str) -> None:
        """Refuse the next request that should be signed, whatever it is; each call refuses one more.

        Args:
            code: an error code, such as ``timestamp_refused`` or ``invalid_signature``.

        Raises:
            ValueError: there is no such code; the message names all of them.
        """
        self._provider.faults.add(code)

    def _signed_in(self) -> str:
        return self._provider.consent.user or self._user

    def _settings(self) -> Settings:
        from async_oauth1.serve.presets import PLAIN, PRESETS
        from async_oauth1.serve.settings import Settings

        if self._like is not None and self._like not in PRESETS:
            raise ValueError(f"Unknown provider {self._like!r} to imitate; known are {', '.join(PRESETS)}.")
        return Settings(preset=PRESETS[self._like] if self._like else PLAIN, consent=self._mode, user=self._user)

    def _prepare(self) -> None:
        self._settings_used = self._settings()

    async def _serve(self, listener: Any) -> None:
        from async_oauth1.serve.listening import serve_socket
        from async_oauth1.serve.provider import Provider
        from async_oauth1.stores import MemoryStore

        async with MemoryStore() as store:
            self._provider = Provider(self._settings_used, store)
            async with self._provider.running():
                # Connections wait in the backlog of the socket until hypercorn accepts them.
                self._started.set()
                await serve_socket(self._provider.asgi, listener, self._stop, grace=GRACE)
