"""The settings of a throw-away provider, and its first client."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from async_oauth1.credentials import Client
from async_oauth1.policy import Policy

from .presets import PLAIN, Preset

__all__ = ["USER", "ClientCredentials", "ConsentMode", "Settings", "new_client"]

#: What happens when a browser opens the authorization page: it is approved or denied at once, or a page asks.
ConsentMode = Literal["automatic", "deny", "ask"]
#: The name of the user that approves.
USER = "alice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one provider.

    Attributes:
        preset: the provider to imitate.
        consent: what the authorization page does at first.
        user: the name of the user that approves.
        password: what the page asks for; ``None`` to ask for none.
        external_base_url: the URL that clients use, if there is a proxy in front.
        host: the address that it listens on; decides which hosts the pages may be opened by.
    """

    preset: Preset = PLAIN
    consent: ConsentMode = "automatic"
    user: str = USER
    password: str | None = field(default=None, repr=False)
    external_base_url: str | None = None
    host: str = "127.0.0.1"

    @property
    def policy(self) -> Policy:
        """The library's policy. Errors are precise and http is accepted anywhere: this is for tests only."""
        preset = self.preset
        return Policy(
            realm=preset.realm,
            signature_methods=preset.signature_methods,
            timestamp_window=preset.timestamp_window,
            require_https=False,
            uniform_errors=False,
            external_base_url=self.external_base_url,
            require_signed_body=preset.signed_bodies,
            get_at_token_endpoints=preset.get_at_token_endpoints,
            tolerances=preset.tolerances,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    """A client's credentials, for the program under test.

    Attributes:
        client_id: the client's identifier, ``oauth_consumer_key``.
        client_secret: its secret; empty if all its methods are RSA's.
        rsa_private_key: PEM, PKCS #8; ``None`` if none of its methods is RSA's.
        signature_methods: the methods enabled for it.
        callbacks: the callbacks it may use; empty for any.
    """

    client_id: str
    client_secret: str = field(default="", repr=False)
    rsa_private_key: str | None = field(default=None, repr=False)
    signature_methods: tuple[str, ...]
    callbacks: tuple[str, ...] = ()


def new_client(
    preset: Preset,
    *,
    methods: Sequence[str] = (),
    callbacks: Sequence[str] = (),
    rsa_private_key: str | None = None,
    client_id: str | None = None,
    client_secret: str | None = None,
) -> tuple[Client, ClientCredentials]:
    """Make a client with random credentials, as the provider and as the client keep it.

    Args:
        preset: the provider to imitate.
        methods: its signature methods; by default those of the preset.
        callbacks: its callbacks; empty for any.
        rsa_private_key: PEM; by default a new one, if one of the methods needs it.
        client_id: by default a random one.
        client_secret: by default a random one.

    Raises:
        ValueError: a method that the preset does not enable, or a key that is not an RSA private key.
    """
    enabled = tuple(methods) or preset.signature_methods
    if unknown := [name for name in enabled if name not in preset.signature_methods]:
        raise ValueError(f"Unknown signature method {unknown[0]!r}; enabled are {', '.join(preset.signature_methods)}.")
    private_key, public_key = rsa_private_key, None
    if any(name.startswith("RSA") for name in enabled):
        from .rsa_keys import new_private_key, public_key_of

        private_key = private_key or new_private_key()
        public_key = public_key_of(private_key)
    needs_secret = not all(name.startswith("RSA") for name in enabled)
    credentials = ClientCredentials(
        client_id=client_id or preset.client_id.format(secrets.token_hex(8), secrets.token_hex(16)),
        client_secret=(client_secret or secrets.token_urlsafe(24)) if needs_secret else "",
        rsa_private_key=private_key if public_key else None,
        signature_methods=enabled,
        callbacks=tuple(callbacks),
    )
    return _record(credentials, public_key), credentials


def _record(credentials: ClientCredentials, public_key: str | None) -> Client:
    return Client(
        client_id=credentials.client_id,
        client_secret=credentials.client_secret or None,
        name=credentials.client_id,
        callbacks=credentials.callbacks,
        signature_methods=credentials.signature_methods,
        rsa_public_key=public_key,
    )
