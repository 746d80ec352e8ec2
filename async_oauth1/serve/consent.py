"""The authorization page: it approves by itself, denies by itself, or asks."""

from __future__ import annotations

import hmac
import secrets
from urllib.parse import parse_qs

from quart import Blueprint, Response, abort, g, render_template, request

from async_oauth1.errors import OAuth1Error
from async_oauth1.protocol.callbacks import OUT_OF_BAND
from async_oauth1.provider.authorization_server import AuthorizationDecision

from .pages import require_own_host
from .rules import Server
from .settings import ConsentMode, Settings

__all__ = ["Consent"]

#: Bytes of the page's form; it has a few hundred.
LARGEST_FORM = 16 * 1024

Answer = str | tuple[str, int] | Response


class Consent:
    """The authorization page.

    Attributes:
        mode: what it does.
        user: the one that is signed in, in every browser; ``None`` if the page asks for name and password.
    """

    def __init__(self, settings: Settings, server: Server) -> None:
        """Start with what the settings say."""
        self.mode: ConsentMode = settings.consent
        self.user: str | None = settings.user if settings.password is None else None
        self._settings, self._server = settings, server
        self._form_key = secrets.token_bytes(32)

    def blueprint(self) -> Blueprint:
        """The route of the page."""
        pages = Blueprint("consent", __name__, template_folder="templates")
        path = self._settings.preset.paths.authorize
        if self._settings.preset.three_legged:
            pages.get(path)(self.page)
            pages.post(path)(self.decide)
        pages.before_request(lambda: require_own_host(self._settings))
        pages.register_error_handler(OAuth1Error, _error_page)
        return pages

    async def record(self, user: str | None) -> AuthorizationDecision:
        """Record the decision on the temporary token of the current request; ``None`` denies."""
        return await self._server.authorize(grant_user=user)

    async def page(self) -> Answer:
        """Decide, or ask."""
        if self.mode == "ask":
            return await self._form()
        approving = self.user or self._settings.user
        return await self._answer(await self.record(approving if self.mode == "automatic" else None))

    async def decide(self) -> Answer:
        """Record what the form says."""
        form = await _read_form()
        oauth_token = form.get("oauth_token", "")
        if not hmac.compare_digest(form.get("form_token", "").encode(), self._form_token(oauth_token).encode()):
            abort(400, "This form is not from this provider's page. Open the authorization page again.")
        if form.get("decision") not in ("approve", "deny"):
            abort(400, "The form has no decision: choose Approve or Deny.")
        user = self.user or self._signed_in(form)
        if user is None and form["decision"] == "approve":
            return await self._form(wrong=True), 403
        return await self._answer(await self.record(user if form["decision"] == "approve" else None))

    def _signed_in(self, form: dict[str, str]) -> str | None:
        expected = (self._settings.user, self._settings.password or "")
        sent = (form.get("username", ""), form.get("password", ""))
        right = [hmac.compare_digest(one.encode(), two.encode()) for one, two in zip(expected, sent, strict=True)]
        return self._settings.user if all(right) else None

    async def _form(self, *, wrong: bool = False) -> str:
        asked = await self._server.check_authorization_request(grant_user=self.user or self._settings.user)
        callback = asked.credential.oauth_callback
        g.form_leaves_site = callback != OUT_OF_BAND
        return await render_template(
            "authorize.html",
            client_id=asked.client.client_id,
            callback=None if callback == OUT_OF_BAND else callback,
            action=self._settings.preset.paths.authorize,
            oauth_token=asked.token,
            form_token=self._form_token(asked.token or ""),
            user=self.user,
            wrong=wrong,
        )

    async def _answer(self, decision: AuthorizationDecision) -> Answer:
        if decision.location is not None:
            return Response("", 302, {"Location": decision.location})
        return await render_template("code.html", verifier=decision.verifier)

    def _form_token(self, oauth_token: str) -> str:
        """Proves that a form is from the page: other sites cannot read it."""
        return hmac.digest(self._form_key, oauth_token.encode(), "sha256").hex()


async def _read_form() -> dict[str, str]:
    if request.mimetype != "application/x-www-form-urlencoded":
        abort(415, "This page accepts only forms.")
    if (request.content_length or 0) > LARGEST_FORM:
        abort(413, "This form is too large.")
    octets = await request.get_data(cache=True, as_text=False, parse_form_data=False)
    if len(octets) > LARGEST_FORM:
        abort(413, "This form is too large.")
    fields = parse_qs(octets.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[0] for name, values in fields.items()}


async def _error_page(error: OAuth1Error) -> Response:
    # Not 401: it asks for an Authorization header, which a browser cannot send for OAuth 1.0.
    status = 400 if error.status_code == 401 else error.status_code
    page = await render_template("error.html", text=error.description or error.error)
    return Response(page, status, {"X-Error": error.error or ""})
