"""Litestar: a security backend, and guards with the scopes that a route demands.

::

    oauth1 = OAuth1Auth(protector, exclude=["/schema"])

    @get("/photos", guards=[requires_oauth1("photos.read")])
    async def photos(request: Request[OAuth1User, TokenCredential, State]) -> dict[str, str]:
        return {"owner": request.user.identity}

    app = Litestar([photos], on_app_init=[oauth1.on_app_init])
"""

import litestar

from async_oauth1.asgi.versions import require_version

require_version(litestar.__name__, "2.18")

from async_oauth1.asgi import (  # noqa: E402 - an old version is reported before it fails otherwise
    authorization_endpoints,
    check_hooks,
    current_client,
    current_credential,
    current_oauth1_request,
)
from async_oauth1.asgi.users import OAuth1User  # noqa: E402 - the same

from .auth import OAuth1Auth  # noqa: E402 - the same
from .guards import requires_oauth1  # noqa: E402 - the same
from .requests import read_request  # noqa: E402 - the same

__all__ = [
    "OAuth1Auth",
    "OAuth1User",
    "authorization_endpoints",
    "check_hooks",
    "current_client",
    "current_credential",
    "current_oauth1_request",
    "read_request",
    "requires_oauth1",
]
