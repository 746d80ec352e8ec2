"""Quart: an authorization server, a resource protector, and proxies for the current request and its credentials.

::

    server = AuthorizationServer(app)
    server.register_hooks(store)
    require_oauth = ResourceProtector(app)
    require_oauth.register_hooks(store)

    @app.get("/photos")
    @require_oauth()
    async def photos():
        return {"owner": current_credential.get_user_id()}

Hooks are coroutine functions, or plain functions that do not block.
"""

from async_oauth1.current import current_client, current_credential, current_oauth1_request

from .requests import read_request
from .servers import AuthorizationServer, ResourceProtector

__all__ = [
    "AuthorizationServer",
    "ResourceProtector",
    "current_client",
    "current_credential",
    "current_oauth1_request",
    "read_request",
]
