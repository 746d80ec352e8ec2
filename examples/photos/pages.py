"""The pages that Jane sees: signing in, the consent page, and her applications."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from quart import Blueprint, Response, abort, g, redirect, render_template, request, session
from werkzeug.exceptions import ServiceUnavailable
from werkzeug.wrappers import Response as WerkzeugResponse

from async_oauth1.limits import Limits, client_address
from async_oauth1.quart import AuthorizationServer
from async_oauth1.stores import Store, TransientStore

from .applications import destination, let_in_by, name_of, waiting_for_answer, waiting_for_sign_in
from .forms import read_form
from .passwords import Passwords, TooManySignInsError
from .scopes import granted_scope, scopes_to_show
from .sessions import csrf_token, local_page, require_csrf_token, sign_in, sign_out, signed_in_user
from .users import Users

#: Seconds after which the queue of passwords has room again.
RETRY_AFTER = 2
TOO_MANY = "Too many people are signing in at the moment. Try again in a few seconds."

Answer = str | tuple[str, int] | Response | WerkzeugResponse


@dataclass(frozen=True, slots=True)
class Pages:
    """The views of the pages.

    Attributes:
        server: records the decisions.
        store: clients and token credentials.
        nonces: temporary credentials.
        users: users and their sessions.
        passwords: checks passwords.
        prefix: the part of the path that a proxy removes.
        trusted_proxies: networks of proxies whose ``X-Forwarded-For`` is trusted.
        limits: limit how often one address may try to sign in.
    """

    server: AuthorizationServer
    store: Store
    nonces: TransientStore
    users: Users
    passwords: Passwords
    prefix: str
    trusted_proxies: tuple[str, ...] = ()
    limits: Limits | None = None

    def blueprint(self) -> Blueprint:
        """The routes of the pages."""
        pages = Blueprint("pages", __name__)
        pages.get("/")(self.home)
        pages.post("/")(self.revoke)
        pages.post("/remove")(self.ask_before_removal)
        pages.get("/remove")(self.removal_page)
        pages.get("/login")(self.login_page)
        pages.post("/login")(self.login)
        pages.post("/logout")(self.logout)
        pages.get("/authorize")(self.consent_page)
        pages.post("/authorize")(self.decide)
        pages.app_context_processor(lambda: {"csrf_token": csrf_token, "prefix": self.prefix})
        return pages

    async def home(self) -> Answer:
        """List the applications that she has let in."""
        user = await signed_in_user(self.users)
        if user is None:
            return self.to_login("/")
        applications = await let_in_by(user, self.store)
        removed = session.pop("removed", None)
        return await render_template("home.html", user=user, applications=applications, removed=removed)

    async def ask_before_removal(self) -> Answer:
        """Redirect from the button on the home page to the page that asks."""
        form = await read_form()
        require_csrf_token(form)
        return self.to(f"/remove?client_id={quote(form.get('client_id', ''), safe='')}")

    async def removal_page(self) -> Answer:
        """Ask whether to remove an application's access."""
        user, client_id = await signed_in_user(self.users), request.args.get("client_id", "")
        if user is None:
            return self.to_login(f"/remove?client_id={quote(client_id, safe='')}")
        found = await let_in_by(user, self.store, client_id)
        if not found:  # she has removed it already
            return self.to("/")
        return await render_template("remove.html", user=user, application=found[0])

    async def revoke(self) -> Answer:
        """Remove an application's access."""
        form = await read_form()
        user = await signed_in_user(self.users)
        if user is None:
            return self.to_login("/")
        require_csrf_token(form)
        client_id = form.get("client_id", "")
        name = name_of(await self.store.query_client(client_id)) or client_id
        if await self.store.revoke_token_credentials(user_id=user, client_id=client_id):
            session["removed"] = name
        return self.to("/")

    async def login_page(self) -> Answer:
        """Show the sign-in form."""
        return await self.sign_in_form(local_page(request.args.get("next")))

    async def login(self) -> Answer:
        """Sign her in."""
        form = await read_form()
        require_csrf_token(form)
        name, password = form.get("username", ""), form.get("password", "")
        target = local_page(form.get("next") or request.args.get("next"))
        if not await self.is_right(name, password):
            return await self.sign_in_form(target, username=name, wrong=True), 403
        await sign_in(self.users, name)
        return self.to(target)

    async def sign_in_form(self, target: str, **values: object) -> str:
        """The sign-in form, which names the application that waits for her."""
        application = await waiting_for_sign_in(target, self.store, self.nonces)
        return await render_template("login.html", next=target, application=application, **values)

    async def is_right(self, name: str, password: str) -> bool:
        """Whether her password is right.

        Raises:
            ServiceUnavailable: too many users are signing in.
            TooManyRequestsError: this address has tried too often.
        """
        forwarded_for = request.headers.getlist("X-Forwarded-For")
        address = client_address(request.remote_addr or "", forwarded_for, self.trusted_proxies)
        if self.limits is not None:
            await self.limits.count_sign_in(address)
        try:
            return await self.passwords.check(name, address, self.users.find, password)
        except TooManySignInsError as error:
            raise ServiceUnavailable(TOO_MANY, retry_after=RETRY_AFTER) from error

    async def logout(self) -> Answer:
        """End her session."""
        require_csrf_token(await read_form())
        await sign_out(self.users)
        return self.to("/login")

    async def consent_page(self) -> Answer:
        """Ask whether to let the application in."""
        user = await signed_in_user(self.users)
        asked = await self.server.check_authorization_request(grant_user=user)
        if user is None:
            return self.to_login(consent_to(asked.token or ""))
        callback = asked.credential.oauth_callback
        g.form_leaves_site = callback != "oob"
        return await render_template(
            "authorize.html",
            user=user,
            application=name_of(asked.client),
            oauth_token=asked.token,
            destination=None if callback == "oob" else destination(callback),
            is_approved=asked.credential.is_decided(),
            scopes=scopes_to_show(asked.credential),
        )

    async def decide(self) -> Answer:
        """Record her decision, and redirect her to the application or show the code."""
        form = await read_form()
        user = await signed_in_user(self.users)
        if user is None:
            return self.to_login(consent_to(form.get("oauth_token", "")))
        require_csrf_token(form)
        if form.get("decision") not in ("approve", "deny"):
            abort(400, "The form has no decision: choose Approve or Deny.")
        # Before the decision: a denial removes the temporary credentials.
        application = await waiting_for_answer(form.get("oauth_token", ""), self.store, self.nonces)
        approved = user if form["decision"] == "approve" else None
        decision = await self.server.authorize(grant_user=approved, scope=granted_scope(form))
        if decision.location is not None:
            return Response("", 302, {"Location": decision.location})
        return await render_template("code.html", user=user, application=application, verifier=decision.verifier)

    def to_login(self, target: str) -> WerkzeugResponse:
        """Redirect to the sign-in page, which leads back to the target."""
        return self.to(f"/login?next={quote(target, safe='')}")

    def to(self, target: str) -> WerkzeugResponse:
        """Redirect to a page of this site."""
        return redirect(self.prefix + target)


def consent_to(oauth_token: str) -> str:
    """The address of the consent page, without further parameters from the application."""
    return f"/authorize?oauth_token={quote(oauth_token, safe='')}"
