"""The protocol parameters of a request, by the names that Authlib has for them."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any, ClassVar, cast

from authlib.oauth1 import OAuth1Request as AuthlibOAuth1Request

__all__ = ["NamedParameters"]


def _signed(name: str) -> Any:
    """A property for a signed part of the request. Setting it discards the base string."""
    attribute = f"_{name}"

    def change(self: NamedParameters, value: object) -> None:
        setattr(self, attribute, value)
        self._base_string = None  # pyright: ignore[reportPrivateUsage]  # this is a part of the class

    return property(attrgetter(attribute), change)  # attrgetter is faster than a function in Python


class NamedParameters(AuthlibOAuth1Request):
    """Properties that read the protocol parameters, and the signed parts of the request that an application may edit.

    Attributes:
        method: HTTP method, as sent.
        scheme: ``http`` or ``https``, as the client saw it.
        host: host and port as the client saw them, in lower case, without the scheme's default port.
        raw_path: the path as sent, without the query.
        protocol_parameters: the ``oauth_`` parameters, decoded, only for reading: to edit or replace them, use
            ``oauth_params``.
        usual_timestamp: the timestamp, if the native reader found the parameters usual for the lane, and nothing can
            have edited them since; otherwise 0.
        identifiers_size: the octets of client identifier, token, nonce and timestamp, if ``usual_timestamp`` is set.
        signature_type: the place of the signature: ``HEADER``, ``QUERY``, ``BODY``, or ``None``.
    """

    method: str = _signed("method")
    scheme: str = _signed("scheme")
    host: str = _signed("host")
    raw_path: bytes = _signed("raw_path")
    protocol_parameters: Mapping[str, str]
    _base_string: str | None
    usual_timestamp: int
    identifiers_size: int
    signature_type: str | None
    #: Whether an application has derived this class. It may override what the native reader would compute.
    is_customized: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: object) -> None:
        """Note whether the class is defined outside this project."""
        super().__init_subclass__(**kwargs)
        cls.is_customized = not cls.__module__.startswith(("async_oauth1.", "flask_compat."))

    @property
    def oauth_params(self) -> dict[str, str]:
        """The ``oauth_`` parameters, decoded.

        The caller may edit them, so the findings of the native reader are discarded.
        """
        self.usual_timestamp = 0
        return cast("dict[str, str]", self.protocol_parameters)

    @oauth_params.setter
    def oauth_params(self, parameters: dict[str, str]) -> None:
        self.usual_timestamp = 0
        self.protocol_parameters = parameters

    @property
    def client_id(self) -> str | None:
        """``oauth_consumer_key``."""
        return self.protocol_parameters.get("oauth_consumer_key")

    @property
    def token(self) -> str | None:
        """``oauth_token``; an empty one counts as absent, but is signed."""
        return self.protocol_parameters.get("oauth_token") or None

    @property
    def timestamp(self) -> str | None:
        """``oauth_timestamp``, as text."""
        return self.protocol_parameters.get("oauth_timestamp")

    @property
    def nonce(self) -> str | None:
        """``oauth_nonce``."""
        return self.protocol_parameters.get("oauth_nonce")

    @property
    def redirect_uri(self) -> str | None:
        """``oauth_callback``."""
        return self.protocol_parameters.get("oauth_callback")

    @property
    def verifier(self) -> str | None:
        """``oauth_verifier``."""
        return self.protocol_parameters.get("oauth_verifier")

    @property
    def signature_method(self) -> str | None:
        """``oauth_signature_method``."""
        return self.protocol_parameters.get("oauth_signature_method")

    @property
    def signature(self) -> str | None:
        """``oauth_signature``.

        Some clients do not escape the Base64 in a query or a form, so that each ``+`` is decoded as a space.
        """
        signature = self.protocol_parameters.get("oauth_signature")
        if signature and self.signature_type != "HEADER" and self.signature_method != "PLAINTEXT":
            return signature.replace(" ", "+")
        return signature
