"""``OAuth1Request`` with Authlib's constructor, for code that makes requests itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias, cast
from urllib.parse import quote, urlsplit

from authlib.oauth1 import OAuth1Request as AuthlibOAuth1Request

from async_oauth1.errors import InsecureTransportError, InvalidRequestError
from async_oauth1.policy import Policy
from async_oauth1.protocol.encoding import escape_text
from async_oauth1.protocol.request import OAuth1Request as WireRequest
from async_oauth1.protocol.request import is_form
from async_oauth1.provider.hooks import call_hook

from .execution.callable_kinds import is_async
from .execution.flow_runner import settle

__all__ = ["OAuth1Request"]

# The characters that RFC 3986 allows in a path or a query, and "%", which begins an escape.
_URI_CHARACTERS = "%/:?@!$&'()*+,;=~[]"
_FORM = b"application/x-www-form-urlencoded"

Body: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]] | str | bytes | None
FieldsGiven: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]] | None


class OAuth1Request(WireRequest):
    """A request. ``client_secret``, ``rsa_public_key`` and ``token_secret`` come from its client and credential."""

    #: The timestamp was checked, and the nonce is to be remembered once the signature holds.
    nonce_is_pending = False
    _fetched: Mapping[str, Any] = MappingProxyType({})

    def __init__(
        self, method: str, uri: str, body: Body = None, headers: FieldsGiven = None, *, policy: Policy | None = None
    ) -> None:
        """Make a request from decoded values.

        Decoding loses information, such as the escapes in a path and repeated names of a form. The servers themselves
        use the octets on the wire.

        Args:
            method: HTTP method.
            uri: the whole URI.
            body: a form as pairs, as a mapping, or encoded.
            headers: a mapping, or name and value pairs.
            policy: sets the size limits.

        Raises:
            OAuth1Error: the request is malformed, too large or insecure.
        """
        InsecureTransportError.check(uri)  # pyright: ignore[reportUnknownMemberType]  # Authlib's, without types
        try:
            parts = urlsplit(uri)
        except ValueError:
            raise InvalidRequestError("The URI is malformed.") from None
        fields = _fields(headers)
        octets = _octets(body)
        content_type = dict(fields).get(b"content-type")
        if octets and (content_type is None or not isinstance(body, str | bytes)):
            fields = [field for field in fields if field[0] != b"content-type"] + [(b"content-type", _FORM)]
        elif octets is not None and not is_form(content_type):
            octets = octets or None
        super().__init__(
            method,
            scheme=parts.scheme.lower(),
            host=dict(fields).get(b"host", parts.netloc.encode()).decode("latin-1"),
            raw_path=quote(parts.path or "/", safe=_URI_CHARACTERS).encode(),
            raw_query=quote(parts.query, safe=_URI_CHARACTERS).encode(),
            headers=fields,
            body=octets,
            limits=policy or Policy(),
        )

    @classmethod
    def from_wire(cls, **parts: Any) -> OAuth1Request:
        """Make a request from the octets on the wire; takes the arguments of `async_oauth1.OAuth1Request`."""
        request = cls.__new__(cls)
        WireRequest.__init__(request, **parts)
        return request

    @classmethod
    def adopt(cls, request: object, policy: Policy) -> OAuth1Request:
        """Convert a request of Authlib's or of the core's, with all of its attributes."""
        if isinstance(request, cls):
            return request
        if isinstance(request, WireRequest):
            adopted = cls.__new__(cls)
        elif isinstance(request, AuthlibOAuth1Request):
            adopted = cls(request.method, request.uri, request.body, request.headers, policy=policy)
        else:
            raise TypeError(f"create_oauth1_request returned {type(request).__name__}, which is not an OAuth1Request")
        for name, value in vars(request).items():
            adopted.__dict__.setdefault(name, value)
        return adopted

    @property
    def client_secret(self) -> str | None:
        """The client's secret, as its model says."""
        secret: str | None = self._ask(self.client, "get_client_secret")
        return secret

    @property
    def rsa_public_key(self) -> str | bytes | None:
        """The client's public key, as its model says."""
        key: str | bytes | None = self._ask(self.client, "get_rsa_public_key")
        return key

    @property
    def token_secret(self) -> str | None:
        """The credential's secret, as its model says."""
        secret: str | None = self._ask(self.credential, "get_oauth_token_secret")
        return secret

    async def fetch_secrets(self) -> None:
        """Call the models' async methods in advance, so that a plain verifier can use their results."""
        fetched: dict[str, Any] = {}
        for model, method in (
            (self.client, "get_client_secret"),
            (self.client, "get_rsa_public_key"),
            (self.credential, "get_oauth_token_secret"),
        ):
            if model and is_async(getattr(model, method)):
                fetched[method] = await call_hook(getattr(model, method))
        self._fetched = fetched

    def _ask(self, model: object, method: str) -> Any:
        if not model:
            return None
        return self._fetched[method] if method in self._fetched else settle(getattr(model, method)())


def _fields(headers: FieldsGiven) -> list[tuple[bytes, bytes]]:
    items: Callable[[], Iterable[tuple[str, str]]] | None = getattr(headers, "items", None)
    pairs = items() if items is not None else cast("Iterable[tuple[str, str]]", headers or ())
    return [(name.lower().encode("latin-1"), str(value).encode("latin-1", "replace")) for name, value in pairs]


def _octets(body: Body) -> bytes | None:
    if body is None or isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    pairs = cast("Iterable[tuple[str, str]]", body.items() if isinstance(body, Mapping) else body)
    return "&".join(f"{escape_text(str(name))}={escape_text(str(value))}" for name, value in pairs).encode()
