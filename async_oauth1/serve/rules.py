"""The servers of a throw-away provider: this package's own, with what a preset demands beyond RFC 5849."""

from __future__ import annotations

from async_oauth1.errors import InvalidRequestError
from async_oauth1.explain import WireRequest
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.verification import BaseServer
from async_oauth1.quart import AuthorizationServer, ResourceProtector

from .presets import PLAIN, Preset

__all__ = ["Protector", "Server"]


class PresetRules(BaseServer):
    """What both servers check besides what they always check."""

    preset: Preset = PLAIN

    def is_secure(self, request: OAuth1Request) -> bool:
        """Whether PLAINTEXT may be used: always, since the credentials are thrown away."""
        return True

    def check_request(self, request: OAuth1Request) -> None:
        """Check also where the protocol parameters are, and the realm.

        Raises:
            OAuth1Error: the request is malformed, too old, or not as the preset demands.
        """
        super().check_request(request)
        wire, preset = WireRequest.of(request), self.preset
        if wire.protocol_place not in preset.places:
            places = " or the ".join(preset.places)
            raise InvalidRequestError(f"{preset.name} reads the OAuth parameters in the {places} alone.")
        if preset.realm_required and not wire.realm:
            raise InvalidRequestError(f"{preset.name} requires a realm in the Authorization header.")


class Server(PresetRules, AuthorizationServer):
    """Issues credentials; a client without registered callbacks may use any."""

    async def check_callback_registered(self, request: OAuth1Request) -> None:
        """Refuse a callback that is not registered, if the client has registered callbacks."""
        if request.client.callbacks:
            await super().check_callback_registered(request)


class Protector(PresetRules, ResourceProtector):
    """Protects the resources."""
