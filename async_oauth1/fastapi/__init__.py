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

from async_oauth1.current import current_client, current_credential, current_oauth1_request  # noqa: E402

from .refusals import NotInstalledError, OAuth1HTTPError  # noqa: E402
from .security import OAuth1  # noqa: E402

__all__ = [
    "NotInstalledError",
    "OAuth1",
    "OAuth1HTTPError",
    "current_client",
    "current_credential",
    "current_oauth1_request",
]
