"""Send requests octet by octet, on a new connection each.

`http.client` sends the target and the header fields as they are given. Other clients normalise paths, escape
characters, follow redirects, or add header fields, and a probe would measure the client.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import cast
from urllib.parse import parse_qs

from .signing import Message

__all__ = ["Answer", "Connections", "UnreachableError", "address_of"]

#: Seconds to wait for a connection, and for each part of an answer.
TIMEOUT = 10.0
#: Octets of an answer's body that are read.
_LONGEST_BODY = 64 * 1024


class UnreachableError(Exception):
    """No HTTP answer arrived; the message is one sentence without a full stop."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of a provider.

    Attributes:
        status: HTTP status.
        headers: names in lower case.
        body: its beginning.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def error(self) -> str:
        """The code of an error of this package, or an empty text."""
        return self._fields.get("error", "")

    @property
    def description(self) -> str:
        """What the error says."""
        return self._fields.get("error_description", "")

    @property
    def _fields(self) -> dict[str, str]:
        text = self.body.decode("utf-8", "replace")
        try:
            found: object = json.loads(text)
        except (ValueError, RecursionError):
            found = {name: values[0] for name, values in parse_qs(text).items()}
        if not isinstance(found, dict):
            return {}
        return {str(name): str(value) for name, value in cast("dict[object, object]", found).items()}

    @property
    def date(self) -> float | None:
        """Unix time of the Date header."""
        try:
            return parsedate_to_datetime(self.headers.get("date", "")).timestamp()
        except (ValueError, TypeError, OverflowError):
            return None


def address_of(host: str, scheme: str) -> tuple[str, int]:
    """Name and port of a Host value.

    Raises:
        ValueError: the port is not a number.
    """
    name, colon, port = host.rpartition(":")
    if not colon or port.endswith("]"):
        return host.strip("[]"), 443 if scheme == "https" else 80
    return name.strip("[]"), int(port)


class Connections:
    """Opens a connection for each request, always to one address."""

    def __init__(self, scheme: str, host: str, tls: ssl.SSLContext) -> None:
        """Remember the address.

        Args:
            scheme: ``http`` or ``https``.
            host: name and port.
            tls: used for https.
        """
        self._scheme, self._tls = scheme, tls
        self._address = address_of(host, scheme)
        #: Requests that were sent.
        self.sent = 0

    def open_tls(self) -> ssl.SSLSocket:
        """Connect with TLS.

        Raises:
            UnreachableError: there is no such connection.
        """
        raw, (name, port) = self._connected(), self._address
        try:
            return self._tls.wrap_socket(raw, server_hostname=name)
        except ssl.SSLCertVerificationError as error:
            raw.close()
            raise UnreachableError(f"the certificate of {name} is not valid: {error.verify_message}") from None
        except OSError as error:
            raw.close()
            reason = getattr(error, "reason", None) or error.strerror or str(error)
            raise UnreachableError(f"{name}, port {port}, does not speak TLS: {reason}") from None

    def reach(self) -> None:
        """Connect without TLS, and close the connection.

        Raises:
            UnreachableError: there is no connection.
        """
        self._connected().close()

    def _connected(self) -> socket.socket:
        name, port = self._address
        try:
            return socket.create_connection((name, port), TIMEOUT)
        except (OSError, UnicodeError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise UnreachableError(f"{name}, port {port}, cannot be reached: {reason}") from None

    def exchange(self, message: Message) -> Answer:
        """Send a request, and read its answer.

        Args:
            message: sent as it is, with its Host and a Content-Length.

        Raises:
            UnreachableError: there was no answer.
        """
        self.sent += 1
        connection = http.client.HTTPConnection(*self._address, timeout=TIMEOUT)
        connection.sock = self._connected() if self._scheme == "http" else self.open_tls()
        try:
            with suppress(BrokenPipeError, ConnectionResetError):  # it may have answered before it has read everything
                self._send(connection, message)
            response = connection.getresponse()
            body = response.read(_LONGEST_BODY)
            return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise UnreachableError(f"there was no HTTP answer: {reason}") from None
        finally:
            connection.close()

    @staticmethod
    def _send(connection: http.client.HTTPConnection, message: Message) -> None:
        target = message.target.decode("ascii")
        connection.putrequest(message.method, target, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", message.host)
        for name, value in message.headers:
            connection.putheader(name.decode(), value)
        if message.body or message.method in ("POST", "PUT", "PATCH"):
            connection.putheader("Content-Length", str(len(message.body)))
        connection.putheader("Connection", "close")
        connection.endheaders(message.body or None)
