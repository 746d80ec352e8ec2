"""FastAPI: a security dependency that shows in ``/docs``, composes with scopes, and can be overridden in tests.

::

    oauth1 = OAuth1(protector)
    oauth1.install(app)

    @app.get("/photos")
    async def photos(credential: Annotated[TokenCredential, Security(oauth1, scopes=["photos.read"])]): ...
"""

import fastapi

from async_oauth1.asgi.versions import require_version

require_version(fastapi.__name__, "0.121")

from async_oauth1.asgi import (  # noqa: E402 - an old version is reported before it fails otherwise
    authorization_endpoints,
    check_hooks,
    current_client,
    current_credential,
    current_oauth1_request,
)

from .refusals import NotInstalledError, OAuth1HTTPError  # noqa: E402 - the same
from .requests import read_request  # noqa: E402 - the same
from .security import OAuth1  # noqa: E402 - the same

__all__ = [
    "NotInstalledError",
    "OAuth1",
    "OAuth1HTTPError",
    "authorization_endpoints",
    "check_hooks",
    "current_client",
    "current_credential",
    "current_oauth1_request",
    "read_request",
]
