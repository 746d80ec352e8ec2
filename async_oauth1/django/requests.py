"""Convert Django's request to an `OAuth1Request`, over the octets as sent."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig, SuspiciousOperation
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.http.request import RawPostDataException

from async_oauth1.asgi.environ import PATH_CHARACTERS, scope_of_environ
from async_oauth1.asgi.requests import content_type_of, make_request, snapshot
from async_oauth1.errors import InvalidRequestError, OAuth1Error, RequestTooLargeError
from async_oauth1.policy import Policy
from async_oauth1.protocol.encoding import escape_text
from async_oauth1.protocol.request import OAuth1Request, is_form
from async_oauth1.provider.refusals import with_scope

__all__ = ["carries_oauth", "read_request"]

_FORM = b"application/x-www-form-urlencoded"
#: Digits in a Content-Length; far more than any body needs.
_LONGEST_NUMBER = 20
_UNREADABLE = "The body cannot be read."
_HAS_BEEN_READ = "The body has been read before. Protect the view before anything else reads the body."


def read_request(request: HttpRequest, policy: Policy) -> OAuth1Request:
    """Make an `OAuth1Request` from what was sent: Django's own attributes are decoded.

    Raises:
        OAuth1Error: the request is malformed or too large, its host is not allowed, or its form was read before.
    """
    request = getattr(request, "_request", request)  # that of Django REST framework wraps Django's
    scope = _scope_of(request, "" if policy.external_base_url else (settings.FORCE_SCRIPT_NAME or "").rstrip("/"))
    try:
        scope["headers"] = _with_host(request, scope["headers"])
        form = None
        if is_form(content_type_of(scope)):
            form = _read_form(request, policy.max_form_bytes)
        elif (form := _multipart_fields(request, scope, policy)) is not None:
            scope["headers"] = [pair for pair in scope["headers"] if pair[0] != b"content-type"]
            scope["headers"].append((b"content-type", _FORM))
    except OAuth1Error as error:
        with_scope(error, scope)
        raise
    oauth1_request = make_request(OAuth1Request, scope, policy, form)
    if settings.SECURE_PROXY_SSL_HEADER:
        oauth1_request.may_be_rewritten = False  # with this setting, the operator vouches for the proxy's header
    oauth1_request.read_body = functools.partial(_read_body, request)
    return oauth1_request


def carries_oauth(request: HttpRequest) -> bool:
    """Whether a request has OAuth 1.0 credentials in its header, its query or its form."""
    scheme = request.headers.get("Authorization", "").partition(" ")[0]
    if scheme.lower() == "oauth" or "oauth_" in request.META.get("QUERY_STRING", ""):
        return True
    if not is_form(request.META.get("CONTENT_TYPE", "").encode("latin-1", "replace")):
        return False
    try:
        return b"oauth_" in request.body
    except (RawPostDataException, SuspiciousOperation, UnreadablePostError, ValueError):  # the last: Content-Length
        return False


def _scope_of(request: HttpRequest, prefix: str) -> dict[str, Any]:
    """The request as an ASGI scope, with the scheme and the prefix that Django's settings say the client used."""
    if isinstance(request, ASGIRequest):
        scope = dict(snapshot(cast("dict[str, Any]", request.scope)))
        if isinstance(scope["query_string"], str):  # Django's factory of async test requests
            scope["query_string"] = scope["query_string"].encode()
        _put_before(scope, prefix)
    else:
        # Django has put FORCE_SCRIPT_NAME into SCRIPT_NAME, and ignores a slash at its end.
        scope = scope_of_environ({**request.META, "SCRIPT_NAME": request.META.get("SCRIPT_NAME", "").rstrip("/")})
    if settings.SECURE_PROXY_SSL_HEADER:
        scope["scheme"] = request.scheme
    return scope


def _put_before(scope: dict[str, Any], prefix: str) -> None:
    """Put ``FORCE_SCRIPT_NAME`` before the path again, if a proxy has removed it."""
    path: str = scope["path"]
    if not prefix or path == prefix or path.startswith(f"{prefix}/"):
        return
    scope["path"] = prefix + path
    if scope.get("raw_path") is not None:
        scope["raw_path"] = quote(prefix, safe=PATH_CHARACTERS).encode() + scope["raw_path"]


def _with_host(request: HttpRequest, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The header fields with the host that Django accepts: ``ALLOWED_HOSTS`` and ``USE_X_FORWARDED_HOST`` count.

    Raises:
        InvalidRequestError: the host is not allowed, or there are two.
    """
    if sum(name == b"host" for name, _ in headers) > 1:
        raise InvalidRequestError("The request has two Host headers.")
    try:
        host = request.get_host()
    except DisallowedHost:
        raise InvalidRequestError("The host is not in ALLOWED_HOSTS, or is malformed.") from None
    return [*((name, value) for name, value in headers if name != b"host"), (b"host", host.encode("latin-1"))]


def _read_form(request: HttpRequest, limit: int) -> bytes:
    """Read at most ``limit`` bytes, and leave them for the view."""
    if (_announced_length(request.META) or 0) > limit:
        raise RequestTooLargeError(f"The form is larger than {limit} bytes.")
    return _read_body(request)


def _read_body(request: HttpRequest) -> bytes:
    """Read a whole body, and leave it for the view.

    Raises:
        InvalidRequestError: the body was read before, or is not complete.
        RequestTooLargeError: the body is larger than Django reads.
    """
    length = _announced_length(request.META)
    if length is None and "HTTP_TRANSFER_ENCODING" in request.META and not isinstance(request, ASGIRequest):
        raise InvalidRequestError("The body needs a Content-Length: Django reads no chunked body under WSGI.")
    try:
        body = request.body
    except RequestDataTooBig:
        raise RequestTooLargeError("The body is larger than DATA_UPLOAD_MAX_MEMORY_SIZE allows.") from None
    except RawPostDataException:
        raise InvalidRequestError(_HAS_BEEN_READ) from None
    except UnreadablePostError:
        raise InvalidRequestError(_UNREADABLE) from None
    # A body that was read and dropped before would verify as an empty one.
    if length not in (None, len(body)):
        raise InvalidRequestError("The body is not as long as Content-Length says, or has been read before.")
    return body


def _announced_length(meta: Mapping[str, Any]) -> int | None:
    """What Content-Length says; ``None`` without one.

    Raises:
        InvalidRequestError: it is not a number. Django takes ``3_0`` for 30, and fails at others.
    """
    sent = str(meta.get("CONTENT_LENGTH") or "")
    if not sent:
        return None
    if not (sent.isascii() and sent.isdigit() and len(sent) < _LONGEST_NUMBER):
        raise InvalidRequestError("Content-Length is not a number of bytes.")
    return int(sent)


def _multipart_fields(request: HttpRequest, scope: dict[str, Any], policy: Policy) -> bytes | None:
    """The fields of a small multipart form as an urlencoded form, if they have OAuth parameters.

    Authlib's module for Django reads them. RFC 5849 section 3.4.1.3.1 signs no multipart body, so one beside a signed
    header is left alone. One with files is, too: nothing could sign them.

    Raises:
        OAuth1Error: the body is malformed or too large.
    """
    if not content_type_of(scope).lower().startswith(b"multipart/form-data"):
        return None
    if request.headers.get("Authorization"):
        return None
    length = _announced_length(request.META)
    if length is None or length > policy.max_form_bytes:
        return None
    _keep_body(request, length)
    pairs = _parsed_fields(request)
    if request.FILES or not any(name.startswith("oauth_") for name, _ in pairs):
        return None
    return "&".join(f"{escape_text(name)}={escape_text(value)}" for name, value in pairs).encode()


def _keep_body(request: HttpRequest, length: int) -> None:
    """Read a body before it is parsed, which would exhaust it: a body hash and the view may need it.

    One that Django does not keep in memory is only parsed, and so is one that a middleware has parsed.

    Raises:
        InvalidRequestError: the body cannot be read.
    """
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if limit is not None and length > limit:
        return
    try:
        _ = request.body
    except RawPostDataException:
        return
    except UnreadablePostError:
        raise InvalidRequestError(_UNREADABLE) from None


def _parsed_fields(request: HttpRequest) -> list[tuple[str, str]]:
    try:
        return [(name, str(value)) for name, values in request.POST.lists() for value in values]
    except RequestDataTooBig:
        raise RequestTooLargeError("The form is larger than DATA_UPLOAD_MAX_MEMORY_SIZE allows.") from None
    except (MultiPartParserError, SuspiciousOperation):
        raise InvalidRequestError("The multipart form is malformed or has too many fields.") from None
    except UnreadablePostError:
        raise InvalidRequestError(_UNREADABLE) from None
