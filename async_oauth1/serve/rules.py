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
        """Check also that the protocol parameters are in the place that the preset demands.

        Raises:
            OAuth1Error: the request is malformed, too old, or not as the preset demands.
        """
        super().check_request(request)
        if WireRequest.of(request).protocol_place not in self.preset.places:
            places = " or the ".join(self.preset.places)
            raise InvalidRequestError(f"{self.preset.name} reads the OAuth parameters in the {places} alone.")


class Server(PresetRules, AuthorizationServer):
    """Issues credentials; a client without registered callbacks may use any."""

    async def check_callback_registered(self, request: OAuth1Request) -> None:
        """Refuse a callback that is not registered, if the client has registered callbacks."""
        if request.client.callbacks:
            await super().check_callback_registered(request)


class Protector(PresetRules, ResourceProtector):
    """A resource protector that also demands what the preset demands."""

    def check_request(self, request: OAuth1Request) -> None:
        """Check the realm, too.

        Raises:
            OAuth1Error: as in the class above; or the header has no realm, and the preset demands one.
        """
        super().check_request(request)
        if self.preset.realm_required and not request.realm:
            raise InvalidRequestError(f"{self.preset.name} requires a realm in the Authorization header.")
