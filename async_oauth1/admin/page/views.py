"""The views of the admin page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from async_oauth1.admin.operations import Operations
from async_oauth1.admin.registration import DEFAULT_METHOD, DEFAULT_RSA_METHOD
from async_oauth1.credentials import Client
from async_oauth1.errors import InvalidRequestError
from async_oauth1.provider.responses import OAuth1Response

from .events import ENDED, EVENTS
from .form_tokens import FormTokens
from .registration import METHODS, Registration
from .rendering import Renderer, query
from .requests import PageRequest

__all__ = ["View", "Views"]

View: TypeAlias = Callable[[PageRequest], Awaitable[OAuth1Response]]

#: Records on a page.
_CLIENTS, _TOKENS, _TRAIL = 50, 10, 10
#: What the operator may choose when a secret is rotated, in seconds.
OVERLAPS: Mapping[str, str] = {
    "0": "not at all: it has leaked",
    "3600": "for an hour",
    "86400": "for a day",
    "604800": "for a week",
    "2592000": "for 30 days",
}
_DONE: Mapping[str, str] = {
    "enabled": "The client is enabled: its requests are verified again.",
    "revoked": "The token is revoked.",
    "all-revoked": "The tokens of the client are revoked.",
}


class Views:
    """The views.

    Attributes:
        by_path: the view of each path and method.
    """

    def __init__(self, operations: Operations, tokens: FormTokens, renderer: Renderer) -> None:
        """Take what the views need."""
        self._operations = operations
        self._tokens = tokens
        self._renderer = renderer
        back = {"GET": self.back_to_client}
        self.by_path: Mapping[str, Mapping[str, View]] = {
            "/": {"GET": self.clients},
            "/new": {"GET": self.new, "POST": self.register},
            "/client": {"GET": self.client},
            "/client/rotate": back | {"POST": self.rotate},
            "/client/disable": back | {"POST": self.disable},
            "/client/enable": back | {"POST": self.enable},
            "/client/revoke": back | {"POST": self.revoke},
        }

    async def clients(self, request: PageRequest) -> OAuth1Response:
        """List the clients, or those that a search finds."""
        search, after = request.query.get("q", "").strip(), request.query.get("after", "")
        try:
            page = await self._operations.page_clients(search, after=after, limit=_CLIENTS)
        except ValueError as error:
            raise InvalidRequestError(str(error)) from None
        values = {"search": search, "after": after, "clients": page.items, "next": page.next}
        return self._page("clients.html", request, **values)

    async def new(self, request: PageRequest) -> OAuth1Response:
        """Show the form that registers a client."""
        return self._registration_form(request, Registration(), {})

    async def register(self, request: PageRequest) -> OAuth1Response:
        """Register a client, and show its secret."""
        registration = Registration.read(request.form)
        if errors := registration.errors():
            return self._registration_form(request, registration, errors)
        client = registration.client()
        if self._is_old(request):
            return self._registration_form(request, registration, {}, is_old=True)
        if not await self._is_first(request):
            return self._not_now(request, "This form was sent before")
        await self._operations.add_client(client, request.operator)
        return self._page("secret.html", request, client=client, is_new=True)

    async def client(self, request: PageRequest) -> OAuth1Response:
        """Show a client, its tokens and its trail."""
        client, after = await self._wanted(request), request.query.get("tokens_after", "")
        before = _number(request.query.get("before", ""))
        try:
            tokens = await self._operations.page_tokens(client.client_id, after=after, limit=_TOKENS)
        except ValueError as error:
            raise InvalidRequestError(str(error)) from None
        uses = await self._operations.last_uses(client.client_id)
        trail = await self._operations.trail(client.client_id, before=before, limit=_TRAIL)
        return self._page(
            "client.html",
            request,
            client=client,
            former_secrets=client.overlaps_end_at or (None,) * len(client.overlapping_secrets),
            message=_message(request.query.get("done", ""), client),
            overlaps=OVERLAPS,
            tokens=tokens.items,
            tokens_after=after,
            tokens_next=tokens.next,
            trail=trail.items,
            trail_before=before,
            trail_next=trail.next,
            events=EVENTS,
            ended=ENDED,
            records_uses=uses is not None,
            uses=uses or {},
            last_used=max((uses or {}).values(), default=None),
        )

    async def rotate(self, request: PageRequest) -> OAuth1Response:
        """Give a client a new secret, and show it."""
        overlap = request.form.get("overlap", "")
        if overlap not in OVERLAPS:
            raise InvalidRequestError("Choose how long the former secret stays valid.")
        client = await self._wanted(request)
        if self._is_old(request):
            return self._not_now(request, "This form is too old")
        if not await self._is_first(request):
            return self._not_now(request, "This form was sent before")
        try:
            rotated = await self._operations.rotate_secret(client.client_id, int(overlap), request.operator)
        except ValueError as error:
            raise InvalidRequestError(str(error)) from None
        return self._page("secret.html", request, client=_found(rotated), is_new=False)

    async def disable(self, request: PageRequest) -> OAuth1Response:
        """Disable a client."""
        client = _found(await self._operations.disable(request.query.get("id", ""), request.operator))
        return self._to_client(request, client.client_id, "disabled")

    async def enable(self, request: PageRequest) -> OAuth1Response:
        """Enable a client."""
        client = _found(await self._operations.enable(request.query.get("id", ""), request.operator))
        return self._to_client(request, client.client_id, "enabled")

    async def revoke(self, request: PageRequest) -> OAuth1Response:
        """Revoke one token of a client, or all of them."""
        client = await self._wanted(request)
        token = request.form.get("oauth_token")
        if token is None:
            await self._operations.revoke_all(request.operator, client_id=client.client_id)
        else:
            await self._operations.revoke(token, request.operator, client_id=client.client_id)
        return self._to_client(request, client.client_id, "all-revoked" if token is None else "revoked")

    async def back_to_client(self, request: PageRequest) -> OAuth1Response:
        """Redirect a reload of a form's address to the client."""
        return self._to_client(request, request.query.get("id", ""))

    async def _wanted(self, request: PageRequest) -> Client:
        return _found(await self._operations.find_client(request.query.get("id", "")))

    def _is_old(self, request: PageRequest) -> bool:
        return request.form_token is None or not self._tokens.makes_secrets(request.form_token)

    async def _is_first(self, request: PageRequest) -> bool:
        """Whether a form that shows a secret was not sent before: a reload must not make another secret."""
        return request.form_token is not None and await self._tokens.use(request.form_token)

    def _not_now(self, request: PageRequest, title: str) -> OAuth1Response:
        text = (
            "Nothing was changed now. A form that makes a secret can be sent once, within ten minutes. If it was sent "
            "before, the secret was shown then, and is not shown again. If you do not have it, find the client, and "
            "rotate its secret."
        )
        link = f"{request.base}/"
        values = {"title": title, "text": text, "status": 409, "link": link, "link_text": "All clients"}
        return self._page("error.html", request, 409, **values)

    def _registration_form(
        self, request: PageRequest, form: Registration, errors: Mapping[str, str], *, is_old: bool = False
    ) -> OAuth1Response:
        return self._page(
            "new.html",
            request,
            409 if is_old else 400 if errors else 200,
            form=form,
            errors=errors,
            is_old=is_old,
            methods=METHODS,
            default_method=DEFAULT_METHOD,
            default_rsa_method=DEFAULT_RSA_METHOD,
        )

    def _page(self, template: str, request: PageRequest, status: int = 200, /, **values: object) -> OAuth1Response:
        values |= {
            "base": request.base,
            "operator": request.operator,
            "form_token": self._tokens.make(request.operator),
        }
        return self._renderer.page(template, status, **values)

    def _to_client(self, request: PageRequest, client_id: str, done: str = "") -> OAuth1Response:
        target = query({"id": client_id, "done": done})
        return self._renderer.redirect(f"{request.base}/client?{target}")


def _found(client: Client | None) -> Client:
    if client is None:
        raise InvalidRequestError("There is no such client.", status_code=404)
    return client


def _message(done: str, client: Client) -> str:
    """What was done; the page itself says that a client is disabled."""
    return "" if done == "enabled" and client.disabled else _DONE.get(done, "")


def _number(text: str) -> int | None:
    if text and not (text.isascii() and text.isdigit() and len(text) < 20):
        raise InvalidRequestError(f"before is the number of a record, not {text[:20]!a}.")
    return int(text) if text else None
