"""Starlette: protected routes, with ``request.user`` and ``request.auth`` as its own authentication has them.

::

    protector = ResourceProtector()
    protector.register_hooks(store)

    @protected(protector, "photos.read")
    async def photos(request):
        return JSONResponse({"owner": request.user.identity})

    app = Starlette(routes=[Route("/photos", photos)])

Or protect paths before Starlette routes them, and let ``@requires`` decide:

    middleware = [Middleware(OAuth1Middleware, protector=protector, prefixes=["/photos"])]
"""

import starlette

from async_oauth1.asgi.floor import require_version

require_version(starlette.__name__, "0.49")

from async_oauth1.asgi import (  # noqa: E402 - an old version is reported before it fails otherwise
    authorization_endpoints,
    check_hooks,
    current_client,
    current_credential,
    current_oauth1_request,
)

from .middleware import OAuth1Middleware  # noqa: E402 - the same
from .protecting import protected  # noqa: E402 - the same
from .requests import read_request  # noqa: E402 - the same
from .users import OAuth1User  # noqa: E402 - the same

__all__ = [
    "OAuth1Middleware",
    "OAuth1User",
    "authorization_endpoints",
    "check_hooks",
    "current_client",
    "current_credential",
    "current_oauth1_request",
    "protected",
    "read_request",
]
