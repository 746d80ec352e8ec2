"""The admin page as an ASGI application."""

from __future__ import annotations

from typing import Any

from async_oauth1.admin.operations import Operations
from async_oauth1.admin.permission import Operator, Permission
from async_oauth1.admin.same_origin import is_same_origin
from async_oauth1.admin.serving import serve
from async_oauth1.asgi.origin import request_origin
from async_oauth1.asgi.requests import Receive, Scope
from async_oauth1.errors import OAuth1Error, StoreUnavailableError
from async_oauth1.policy import Policy
from async_oauth1.provider.responses import OAuth1Response
from async_oauth1.stores import Store

from .form_tokens import FormTokens
from .forms import read_fields, read_form
from .rendering import Renderer
from .requests import PageRequest, locate
from .views import Views

__all__ = ["AdminPage"]

_TITLES = {
    400: "This request is not valid",
    403: "You may not open this page",
    404: "There is nothing here",
    405: "This address cannot be used in this way",
    503: "The store does not answer",
}


class AdminPage:
    """The admin page, an ASGI application to mount: list, search, register, disable and revoke.

    It has no sign-in of its own. The hook ``operator`` tells it who is signed in to your application. Without the hook,
    an error is logged at once, and every request is refused.
    """

    def __init__(
        self,
        store: Store,
        *,
        operator: Operator | None = None,
        secret_key: str | bytes,
        policy: Policy | None = None,
        base_path: str | None = None,
        sign_in_url: str | None = None,
    ) -> None:
        """Make the page; no I/O.

        Args:
            store: the provider's, open while the page is used. With a cache, give the cached store.
            operator: async function that takes the ASGI scope of a request, and returns the operator's name, or
                ``None`` for anyone else.
            secret_key: at least 16 bytes, the same in every process; the forms' tokens are made with it.
            policy: the server's, whose ``trusted_proxies`` and ``external_base_url`` count.
            base_path: the path at which browsers find the page, if a proxy removes a part of it that is not in
                ``external_base_url``; ``None`` to find it out.
            sign_in_url: a link on the page that refuses.

        Raises:
            ValueError: the key is too short.
        """
        self._permission = Permission(operator, "admin page")
        self._tokens = FormTokens(secret_key, store)
        self._renderer = Renderer()
        self._views = Views(Operations(store), self._tokens, self._renderer)
        self._policy = policy or Policy()
        self._base_path = None if base_path is None else base_path.rstrip("/")
        self._sign_in_url = sign_in_url

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request, or the events of a start."""
        await serve(self._answer, scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> OAuth1Response:
        base, path = locate(scope)
        try:
            base = self._base(scope, base)
            return await self._respond(scope, receive, base, path)
        except OAuth1Error as error:
            return self._error_page(error, base)

    def _base(self, scope: Scope, mount: str) -> str:
        """The path of the page for browsers, with the part that a proxy removes."""
        if self._base_path is not None:
            return self._base_path
        prefix = request_origin(scope, self._policy)[2]
        return mount if f"{mount}/".startswith(f"{prefix}/") else prefix + mount

    async def _respond(self, scope: Scope, receive: Receive, base: str, path: str) -> OAuth1Response:
        operator = await self._permission.operator(scope)
        if operator is None:
            return self._refusal(base)
        views = self._views.by_path.get(path, {})
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        view = views.get(method)
        if view is None:
            return self._no_view(base, operator, [*views])
        query = read_fields(scope["query_string"])
        if method == "GET":
            return await view(PageRequest(operator, base, query))
        if not is_same_origin(scope, self._policy):
            return self._refused_form(base, operator)
        form = await read_form(scope, receive)
        token = self._tokens.check(form.get("form_token", ""), operator)
        if token is None:
            return self._refused_form(base, operator)
        return await view(PageRequest(operator, base, query, form, token))

    def _refusal(self, base: str) -> OAuth1Response:
        text = "It is for operators only. Sign in to the application as one of them."
        link, link_text = self._sign_in_url, "Sign in"
        return self._renderer.page("error.html", 403, **_error_values(403, text, base, None, link, link_text))

    def _refused_form(self, base: str, operator: str) -> OAuth1Response:
        text = (
            "Nothing was changed. The form is more than an hour old, was opened by another operator, or was not sent "
            "from this page. Open the page again, and repeat what you did."
        )
        values = _error_values(403, text, base, operator, f"{base}/", "All clients")
        return self._renderer.page("error.html", 403, **values | {"title": "This form is no longer valid"})

    def _no_view(self, base: str, operator: str, methods: list[str]) -> OAuth1Response:
        if not methods:
            text = "The address may be incomplete."
            return self._renderer.page("error.html", 404, **_error_values(404, text, base, operator, f"{base}/"))
        text = "Go back and use the buttons of the page."
        response = self._renderer.page("error.html", 405, **_error_values(405, text, base, operator, f"{base}/"))
        response.headers.append(("Allow", ", ".join([*methods, *(["HEAD"] if "GET" in methods else [])])))
        return response

    def _error_page(self, error: OAuth1Error, base: str) -> OAuth1Response:
        status = error.status_code
        text = str(error.description or error.error or "")
        response = self._renderer.page("error.html", status, **_error_values(status, text, base, None, f"{base}/"))
        if isinstance(error, StoreUnavailableError):
            response.headers.append(("Retry-After", str(error.retry_after)))
        return response


def _error_values(
    status: int, text: str, base: str, operator: str | None, link: str | None, link_text: str = "All clients"
) -> dict[str, Any]:
    title = _TITLES.get(status, _TITLES[400])
    values = {"title": title, "text": text, "status": status, "link": link, "link_text": link_text}
    return values | {"base": base, "operator": operator}
