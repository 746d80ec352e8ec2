"""Sign requests as they are sent: the ``auth`` of `httpx`, and what signs for other test clients."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Self, TypeVar

from async_oauth1.probing.signing import FORM, Credentials, Message, Place, protocol_parameters, sign
from async_oauth1.protocol.header_fields import is_form
from async_oauth1.protocol.signature import SIGNATURE_METHODS, SigningKeys

__all__ = ["SignedAuth"]

R = TypeVar("R")


class SignedAuth:
    """Signs each request, octet by octet as it will be sent (RFC 5849 section 3.4).

    Pass it as ``auth`` to a client, or a single request, of ``httpx`` or ``httpx2``; the test clients of Starlette,
    FastAPI and Litestar are such clients. For those of Flask and Quart use `sign_requests`. Each request has a nonce of
    its own. A redirect is not signed anew by ``httpx``.
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str = "",
        token: str | None = None,
        token_secret: str = "",
        *,
        signature_method: str = "HMAC-SHA1",
        rsa_private_key: str | bytes | None = None,
        place: Place = "header",
        realm: str | None = None,
        body_hash: bool = False,
        parameters: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Remember what to sign with.

        Args:
            client_id: ``oauth_consumer_key``.
            client_secret: of the client; not for RSA.
            token: ``oauth_token``; ``None`` to leave it out.
            token_secret: of the token.
            signature_method: such as ``HMAC-SHA256``.
            rsa_private_key: PEM, for the methods of RSA.
            place: ``header``, ``query`` or ``form`` (section 3.5).
            realm: for the Authorization header.
            body_hash: add ``oauth_body_hash`` to requests without a form.
            parameters: further protocol parameters, such as ``oauth_callback``; also to replace one, such as
                ``oauth_nonce`` or ``oauth_timestamp``.
            clock: Unix time, in seconds.

        Raises:
            ValueError: an unknown signature method or place, or RSA without a private key.
        """
        method = SIGNATURE_METHODS.get(signature_method)
        if method is None:
            raise ValueError(
                f"Unknown signature method {signature_method!r}; known are {', '.join(SIGNATURE_METHODS)}."
            )
        if method.key_kind == "RSA key" and not rsa_private_key:
            raise ValueError(f"{signature_method} needs rsa_private_key.")
        if place not in ("header", "query", "form"):
            raise ValueError(f'place is "header", "query" or "form", not {place!r}.')
        keys = SigningKeys(client_secret, token_secret, rsa_private_key)
        self._credentials = Credentials(client_id=client_id, keys=keys, token=token)
        self._method, self._realm = signature_method, realm
        self._place: Place = place
        self._body_hash, self._parameters, self._clock = body_hash, dict(parameters or {}), clock

    @classmethod
    def of(cls, client: Any, token: Any = None, **options: Any) -> Self:
        """The auth of a client record and a credential record.

        Args:
            client: has ``client_id`` and ``client_secret``, such as `Client`.
            token: has ``oauth_token`` and ``oauth_token_secret``, such as `TokenCredential`; ``None`` for none.
            options: keyword arguments of `SignedAuth`.
        """
        pair = () if token is None else (token.oauth_token, token.oauth_token_secret)
        return cls(client.client_id, client.client_secret or "", *pair, **options)

    def __repr__(self) -> str:
        """Show no secrets."""
        return f"<SignedAuth {self._credentials.client_id!r} {self._method}>"

    def __call__(self, request: R) -> R:
        """Sign a request of ``httpx`` or ``httpx2``.

        Raises:
            ValueError: the body is needed for the signature, and is an asynchronous stream; or ``place`` is
                ``form`` for a request without a form.
        """
        unsigned = message_of(request, read_body=self.reads_body(_media_type(request)))
        rebuilt: R = _rebuilt(request, unsigned, self.sign(unsigned))
        return rebuilt

    def reads_body(self, media_type: bytes) -> bool:
        """Whether the signature depends on a body of this media type."""
        return self._body_hash or self._place == "form" or is_form(media_type)

    def sign(self, message: Message) -> Message:
        """Sign a request.

        Args:
            message: as it would be sent without a signature.

        Raises:
            ValueError: ``place`` is ``form``, and the request has no form.
            OAuth1Error: the request has protocol parameters already, or cannot be read.
        """
        if self._place == "form" and (message.method in ("GET", "HEAD") or (message.body and not message.has_form)):
            raise ValueError(f'place="form" needs a form, and this {message.method} has none.')
        parameters = protocol_parameters(self._credentials, self._method, timestamp=int(self._clock()))
        return sign(
            message,
            {**parameters, **self._parameters},
            self._credentials.keys,
            place=self._place,
            realm=self._realm,
            body_hash=self._body_hash and not (message.has_form or self._place == "form"),
        ).message


def message_of(request: Any, *, read_body: bool) -> Message:
    """A request of httpx as it will be sent."""
    path, _, query = request.url.raw_path.partition(b"?")
    host = request.headers.get("host") or request.url.netloc.decode("ascii")
    return Message(
        method=request.method,
        scheme=request.url.scheme,
        host=host,
        path=path,
        query=query,
        headers=tuple(request.headers.raw),
        body=_body_of(request) if read_body else b"",
    )


def _media_type(request: Any) -> bytes:
    media_type: str = request.headers.get("content-type", "")
    return media_type.encode("latin-1")


def _body_of(request: Any) -> bytes:
    try:
        body: bytes = request.read()
    except (AssertionError, RuntimeError):
        text = "The signature depends on the body, which is an asynchronous stream: pass the whole body as octets."
        raise ValueError(text) from None
    return body


def _rebuilt(request: Any, unsigned: Message, signed: Message) -> Any:
    """The request with what signing has added."""
    for name, value in signed.headers[len(unsigned.headers) :]:
        request.headers[name.decode()] = value.decode("latin-1")
    if signed.query != unsigned.query:
        request.url = request.url.copy_with(raw_path=signed.target)
    if signed.body != unsigned.body:
        headers = {**request.headers, "content-type": FORM.decode(), "content-length": str(len(signed.body))}
        return type(request)(
            request.method, request.url, headers=headers, content=signed.body, extensions=request.extensions
        )
    return request


def with_length(message: Message) -> Message:
    """The message with the Content-Length of its body, if it has one at all."""
    others = tuple((name, value) for name, value in message.headers if name.lower() != b"content-length")
    return replace(message, headers=(*others, (b"content-length", b"%d" % len(message.body))))
