"""A page on which operators administer clients and tokens (extra ``admin``).

::

    async def operator(scope):                                     # your own sign-in
        return "alice" if await is_operator(scope) else None

    page = AdminPage(store, operator=operator, secret_key=KEY)     # an ASGI application to mount
"""

from .application import AdminPage

__all__ = ["AdminPage"]
