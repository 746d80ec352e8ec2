"""ASGI middleware that records each request with its answer, and puts refusals in the words of the preset."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from async_oauth1 import errors
from async_oauth1.errors import OAuth1Error, StoreUnavailableError
from async_oauth1.explain import WireRequest
from async_oauth1.policy import Policy
from async_oauth1.provider.responses import resource_error_response, server_error_response

from .error_bodies import Refusal, render
from .exchange import Answer, wire_request
from .explaining import Explainer, Known
from .presets import Preset
from .records import RecordedRequest, Records
from .secrecy import MASK, Issued, IssuedToken, private_values

__all__ = ["Faults", "Recorder", "is_own_page"]

#: Octets of a body that are kept for the explanation; the application receives all of it.
LARGEST_BODY = 1024 * 1024
#: Seconds after which the application receives what has arrived so far, and applies its own limits.
BODY_TIMEOUT = 30.0
#: Paths of the provider's own pages, which are not recorded.
OWN_PAGES = "/-/"
#: Ends the description of an error that `Faults` has made.
ASKED = "(The test asked for this refusal.)"
_HIDDEN_HEADERS = frozenset({"cookie", "proxy-authorization"})


def is_own_page(path: str) -> bool:
    """Whether a path belongs to the pages that show the requests."""
    return path in ("/", "/favicon.ico") or path.startswith(OWN_PAGES)


class Faults:
    """Errors with which the next requests are refused, whatever they are."""

    def __init__(self) -> None:
        """Start without any."""
        self._next: deque[type[OAuth1Error]] = deque()

    def add(self, code: str) -> None:
        """Refuse one more request with an error code.

        Raises:
            ValueError: there is no such code; the message names all of them.
        """
        known = _errors_by_code()
        if code not in known:
            raise ValueError(f"Unknown error code {code!r}; known are {', '.join(sorted(known))}.")
        self._next.append(known[code])

    def take(self) -> OAuth1Error | None:
        """The error of the next request, if there is one."""
        return self._next.popleft()() if self._next else None


def _errors_by_code() -> dict[str, type[OAuth1Error]]:
    found: dict[str, type[OAuth1Error]] = {}
    for name in errors.__all__:
        kind = getattr(errors, name)
        if issubclass(kind, OAuth1Error) and kind.error:
            found.setdefault(kind.error, kind)
    return found


class Recorder:
    """The outermost middleware of a throw-away provider."""

    def __init__(
        self,
        app: Callable[[Any, Any, Any], Awaitable[None]],
        *,
        preset: Preset,
        policy: Policy,
        issued: Issued,
        records: Records,
        explainer: Explainer,
        faults: Faults,
    ) -> None:
        """Wrap the provider's application.

        Args:
            app: the application.
            preset: the provider to imitate.
            policy: of the application.
            issued: tokens that are issued are added there.
            records: requests are counted there.
            explainer: completes the records.
            faults: errors with which the next signed requests are refused.
        """
        self._app, self._preset, self._policy = app, preset, policy
        self._issued, self._records, self._explainer, self._faults = issued, records, explainer, faults

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or is_own_page(scope["path"]):
            await self._app(scope, receive, send)
            return
        number, at = self._records.begin(), time.time()
        try:
            body = _Body(receive)
            await body.read()
            asked = None if scope["path"] == self._preset.paths.authorize else self._faults.take()
            answer = self._refuse(scope["path"], asked) if asked else await self._answer(scope, body)
            if not answer.status:  # the client has left, and the framework has given up
                self._records.complete(number, None)
                return
            wire = wire_request(scope, self._policy, bytes(body.octets))
            known = await self._known(wire)
            mask = self._issued.masker(*private_values(wire))
            record = self._record(wire, answer, at, mask)
            if not record.accepted:
                self._translate(answer, record, mask(self._explainer.base_string(wire, known)) if known else "")
        except BaseException:
            self._records.complete(number, None)
            raise
        self._explainer.put(number, record, wire, known)
        await answer.send(send)

    async def _answer(self, scope: Any, body: _Body) -> Answer:
        answer = Answer()
        await self._app(scope, body.receive_again, answer.receive)
        return answer

    def _refuse(self, path: str, error: OAuth1Error) -> Answer:
        """The answer to a request whose refusal was asked for."""
        error.description = f"{error.description or error.error} {ASKED}"
        preset, realm = self._preset, self._policy.realm
        if preset.three_legged and path in (preset.paths.initiate, preset.paths.token):
            response = server_error_response(error, realm=realm, allow="POST")
        else:
            response = resource_error_response(error, realm=realm)
        headers = [(name.lower().encode(), value.encode()) for name, value in response.headers]
        return Answer(response.status_code, headers, bytearray(response.body.encode()))

    async def _known(self, wire: WireRequest) -> Known | None:
        try:
            return await self._explainer.known(wire)
        except StoreUnavailableError:
            return None

    def _record(self, wire: WireRequest, answer: Answer, at: float, mask: Callable[[str], str]) -> RecordedRequest:
        fields, sent = answer.fields(), wire.protocol
        accepted = answer.status < 400
        if accepted:
            self._note_issued(wire, fields)
        query = "?" + wire.query.decode("latin-1") if wire.query else ""
        path = quote(wire.path, safe="/%!$&'()*+,;=:@~-._")
        return RecordedRequest(
            at=at,
            method=wire.method,
            url=mask(f"{wire.scheme}://{wire.host}{path}{query}"),
            headers=_shown_headers(wire, mask),
            status=answer.status,
            accepted=accepted,
            error="" if accepted else fields.get("error", ""),
            description="" if accepted else mask(fields.get("error_description", "")),
            client_id=mask(sent.get("oauth_consumer_key", "")),
            signature_method=mask(sent.get("oauth_signature_method", "")),
        )

    def _note_issued(self, wire: WireRequest, fields: dict[str, str]) -> None:
        if not fields.get("oauth_token") or not fields.get("oauth_token_secret"):
            return
        is_temporary = "oauth_callback_confirmed" in fields
        before = None if is_temporary else self._issued.find(wire.protocol.get("oauth_token", ""))
        token = IssuedToken(
            fields["oauth_token_secret"],
            wire.protocol.get("oauth_consumer_key", ""),
            is_temporary=is_temporary,
            temporary_secret=before.secret if before else None,
        )
        self._issued.note_token(fields["oauth_token"], token)

    def _translate(self, answer: Answer, record: RecordedRequest, base_string: str) -> None:
        if self._preset.errors is None or not record.error or record.error == "not_found":
            return
        refusal = Refusal(answer.status, record.error, record.description, base_string, record.signature_method)
        answer.replace_body(*render(refusal, self._preset.errors))


class _Body:
    """A body of which the beginning is read here, and all of it by the application."""

    def __init__(self, receive: Callable[[], Awaitable[Any]]) -> None:
        self.octets = bytearray()
        self._receive = receive
        self._messages: deque[Any] = deque()

    async def read(self) -> None:
        more = True
        try:
            async with asyncio.timeout(BODY_TIMEOUT):
                while more and len(self.octets) <= LARGEST_BODY:
                    message = await self._receive()
                    self._messages.append(message)
                    self.octets += message.get("body", b"")
                    more = message.get("more_body", False)
        except TimeoutError:
            pass

    async def receive_again(self) -> Any:
        return self._messages.popleft() if self._messages else await self._receive()


def _shown_headers(wire: WireRequest, mask: Callable[[str], str]) -> dict[str, str]:
    shown: dict[str, str] = {}
    for raw_name, raw_value in wire.headers:
        name = raw_name.decode("latin-1").lower()
        value = MASK if name in _HIDDEN_HEADERS else mask(raw_value.decode("latin-1"))
        shown[name] = f"{shown[name]}, {value}" if name in shown else value
    return shown
