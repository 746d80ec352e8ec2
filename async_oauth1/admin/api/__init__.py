"""A JSON API with which operators administer clients and tokens; see ``docs/administration.md``.

::

    async def operator(scope):                                     # your own sign-in
        return "alice" if await is_operator(scope) else None

    api = AdminAPI(store, operator=operator)                       # an ASGI application to mount
"""

from .application import AdminAPI

__all__ = ["AdminAPI"]
