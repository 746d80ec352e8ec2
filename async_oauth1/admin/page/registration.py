"""Reads the form that registers a client."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from async_oauth1.credentials import RSA_METHODS, Client
from async_oauth1.errors import OAuth1Error
from async_oauth1.protocol.callbacks import check_callback_syntax
from async_oauth1.protocol.rsa_keys import check_key_form
from async_oauth1.protocol.signature import SIGNATURE_METHODS

__all__ = ["DEFAULT_METHOD", "DEFAULT_RSA_METHOD", "METHODS", "Registration"]

#: The methods of a client for which none is chosen, as for `async-oauth1 client add`.
DEFAULT_METHOD, DEFAULT_RSA_METHOD = "HMAC-SHA1", "RSA-SHA1"
#: Those that can be chosen.
METHODS = tuple(SIGNATURE_METHODS)
_MAX_NAME_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Registration:
    """The form, as it was typed.

    Attributes:
        name: of the client.
        callbacks: one a line.
        methods: those that were chosen.
        rsa_public_key: PEM; empty for none.
    """

    name: str = ""
    callbacks: str = ""
    methods: tuple[str, ...] = ()
    rsa_public_key: str = ""

    @classmethod
    def read(cls, form: Mapping[str, str]) -> Registration:
        """Read the fields that were sent. A textarea ends its lines with CR and LF."""
        name, callbacks, key = (
            form.get(field, "").replace("\r\n", "\n").strip() for field in ("name", "callbacks", "rsa_public_key")
        )
        return cls(name, callbacks, tuple(method for method in METHODS if form.get(f"method.{method}")), key)

    def errors(self) -> dict[str, str]:
        """What is wrong, for each field in which something is."""
        found = {
            "name": self._name_error(),
            "callbacks": self._callback_error(),
            "methods": self._method_error(),
            "rsa_public_key": self._key_error(),
        }
        return {field: error for field, error in found.items() if error}

    def client(self) -> Client:
        """The new client; the form must have no errors."""
        key = self.rsa_public_key or None
        return Client(
            client_id=secrets.token_hex(16),
            client_secret=secrets.token_urlsafe(32),
            name=self.name,
            callbacks=tuple(self._callbacks()),
            signature_methods=self.methods or ((DEFAULT_RSA_METHOD,) if key else (DEFAULT_METHOD,)),
            rsa_public_key=key,
        )

    def _callbacks(self) -> list[str]:
        lines = (line.strip() for line in self.callbacks.splitlines())
        return list(dict.fromkeys(line for line in lines if line))

    def _name_error(self) -> str:
        if self.name and self.name.isprintable() and len(self.name) <= _MAX_NAME_LENGTH:
            return ""
        return f"A name has 1 to {_MAX_NAME_LENGTH} visible characters."

    def _callback_error(self) -> str:
        for callback in self._callbacks():
            try:
                check_callback_syntax(callback)
            except OAuth1Error as error:
                reason = str(error.description).replace('Invalid "oauth_callback" value: it ', "")
                return f"{callback}: {reason}"
        return ""

    def _method_error(self) -> str:
        rsa = [method for method in self.methods if method in RSA_METHODS]
        if rsa and not self.rsa_public_key:
            return f"{rsa[0]} needs the client's public key."
        if self.rsa_public_key and self.methods and not rsa:
            return "None of these uses the public key. Choose one that does, such as RSA-SHA256, or leave the key out."
        return ""

    def _key_error(self) -> str:
        try:
            if self.rsa_public_key:
                check_key_form(self.rsa_public_key)
        except ValueError as error:
            return f"The key {error}."
        return ""
