"""Django REST framework: an authentication class, and a permission by scope. Needs the extra ``rest-framework``.

::

    class OAuth1(OAuth1Authentication):
        protector = ResourceProtector(Client, Token)

    class Photos(APIView):
        authentication_classes = [OAuth1]
        permission_classes = [IsAuthenticated, HasScope]
        required_scopes = {"GET": "photos.read", "POST": "photos.write"}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, cast

from django.core.exceptions import ImproperlyConfigured
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from async_oauth1.errors import OAuth1Error
from async_oauth1.provider.refusals import log_refusal
from async_oauth1.provider.responses import error_headers, error_members, noted_headers

from .flows import counted_fields, joined
from .protector import ResourceProtector
from .requests import carries_oauth

__all__ = ["HasScope", "OAuth1Authentication"]

_REFUSED = "_async_oauth1_refused"


class OAuth1Authentication(BaseAuthentication):
    """Verifies signed requests: ``request.user`` is the credential's user, and ``request.auth`` the credential.

    A request without OAuth 1.0 credentials is left to the next authentication class. A refused one is answered with 401
    and ``WWW-Authenticate``.

    Attributes:
        protector: set it in a subclass.
        two_legged: accept the client's signature without a token; then ``request.user`` is what `two_legged_user`
            returns, and ``request.auth`` is the client.
        body_hash_required: refuse bodies that no signature covers.
    """

    protector: ClassVar[ResourceProtector[Any, Any] | None] = None
    two_legged: ClassVar[bool] = False
    body_hash_required: ClassVar[bool] = False

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """Verify a request.

        Raises:
            AuthenticationFailed: the request is not accepted, or its user is not active.
            APIException: it is malformed or too large, or the store is down.
        """
        sent = request._request  # noqa: SLF001 - as in its documentation
        if not carries_oauth(sent):
            return None
        protector = self._protector()
        try:
            credential = protector.acquire_credential(
                sent, two_legged=self.two_legged, body_hash_required=self.body_hash_required
            )
        except OAuth1Error as error:
            vars(sent)[_REFUSED] = error
            _announce(request, joined(noted_headers(error)))
            raise _translate(error, problems=protector.configuration.policy.problem_reporting) from error
        _announce(request, counted_fields(sent))
        if credential is None:
            client = vars(sent)["oauth1_client"]
            return self.two_legged_user(client), client
        if not getattr(credential.user, "is_active", True):
            raise AuthenticationFailed("The user is not active.", code="user_inactive")
        return credential.user, credential

    def authenticate_header(self, request: Request) -> str:
        """The value of ``WWW-Authenticate``."""
        policy = self._protector().configuration.policy
        sent = request._request  # noqa: SLF001 - as in its documentation
        error: OAuth1Error = vars(sent).get(_REFUSED) or _AuthenticationError()
        headers = error_headers(error, realm=policy.realm, problems=policy.problem_reporting)
        return dict(headers)["WWW-Authenticate"]

    def two_legged_user(self, client: Any) -> Any:
        """The user of a request without a token; by default the user of the client, if its model has one."""
        return getattr(client, "user", None)

    def _protector(self) -> ResourceProtector[Any, Any]:
        if self.protector is None:
            raise ImproperlyConfigured(f"Set {type(self).__qualname__}.protector to a ResourceProtector.")
        return self.protector


class _AuthenticationError(OAuth1Error):
    """Any 401, for the header alone."""

    status_code = 401


class HasScope(BasePermission):
    """Requires that the token credential covers the scopes of a view.

    A view says them in ``required_scopes``: names separated by spaces, or such a text for each HTTP method. Without it,
    and for a method that is not named, the permission is denied. Requests that another class has authenticated are
    denied, too.
    """

    message = "The token does not cover the scope of this resource."

    def has_permission(self, request: Request, view: Any) -> bool:
        """Compare ``request.auth.get_scope()``, or its field ``scope``, with what the view requires."""
        required: Any = getattr(view, "required_scopes", None)
        if isinstance(required, Mapping):
            required = cast("Mapping[str, str]", required).get(request.method or "")
        granted = _scope_of(request.auth)
        return isinstance(required, str) and granted is not None and set(required.split()) <= granted


def _announce(request: Request, fields: Iterable[tuple[str, str]]) -> None:
    """Add header fields to the response of the view that is authenticated; a ``Link`` to those of the view's own."""
    view: Any = (request.parser_context or {}).get("view")
    if view is None:
        return
    others = dict(fields)
    link = others.pop("Link", None)
    getattr(view, "headers", {}).update(others)
    if link is None:
        return
    finalize = view.finalize_response  # replaces fields of the response by those of ``view.headers``

    def finalize_response(*args: Any, **kwargs: Any) -> Any:
        response = finalize(*args, **kwargs)
        response["Link"] = f"{response['Link']}, {link}" if "Link" in response else link
        return response

    view.finalize_response = finalize_response


def _scope_of(credential: Any) -> set[str] | None:
    get_scope = getattr(credential, "get_scope", None)
    scope: Any = get_scope() if callable(get_scope) else getattr(credential, "scope", None)
    return set(scope.split()) if isinstance(scope, str) else None


def _translate(error: OAuth1Error, *, problems: bool) -> APIException:
    log_refusal(error)
    body: dict[str, Any] = dict(error_members(error, problems=problems))
    refused: APIException = AuthenticationFailed() if error.status_code == 401 else APIException()
    refused.detail = body
    refused.status_code = error.status_code
    retry_after = getattr(error, "retry_after", None)
    if retry_after is not None:
        vars(refused)["wait"] = retry_after  # becomes Retry-After
    return refused
