"""Reads the form that registers a client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from async_oauth1.admin.registration import FieldError, checked_callbacks, checked_methods, checked_name, new_client
from async_oauth1.credentials import Client
from async_oauth1.protocol.rsa_keys import check_key_form
from async_oauth1.protocol.signature import SIGNATURE_METHODS

__all__ = ["METHODS", "Registration"]

#: Those that can be chosen.
METHODS = tuple(SIGNATURE_METHODS)


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
            "name": _error(lambda: checked_name(self.name)),
            "callbacks": _error(lambda: checked_callbacks(self._callbacks())),
            "methods": _error(lambda: checked_methods(self.methods, has_key=bool(self.rsa_public_key))),
            "rsa_public_key": self._key_error(),
        }
        return {field: error for field, error in found.items() if error}

    def client(self) -> Client:
        """The new client; the form must have no errors."""
        return new_client(
            self.name,
            callbacks=self._callbacks(),
            signature_methods=self.methods,
            rsa_public_key=self.rsa_public_key or None,
        )

    def _callbacks(self) -> list[str]:
        lines = (line.strip() for line in self.callbacks.splitlines())
        return list(dict.fromkeys(line for line in lines if line))

    def _key_error(self) -> str:
        try:
            if self.rsa_public_key:
                check_key_form(self.rsa_public_key)
        except ValueError as error:
            return f"The key {error}."
        return ""


def _error(check: Callable[[], object]) -> str:
    """What a check says of a field, as a sentence; empty if the field is right."""
    try:
        check()
    except FieldError as error:
        return f"{error.reason[:1].upper()}{error.reason[1:]}."
    return ""
