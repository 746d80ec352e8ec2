"""Users and their scopes, in Starlette's own classes."""

from __future__ import annotations

from starlette.authentication import AuthCredentials, BaseUser, UnauthenticatedUser

from async_oauth1.asgi import users
from async_oauth1.credentials import ClientT_co, TokenT_co

__all__ = ["OAuth1User", "with_user"]


class OAuth1User(users.OAuth1User[ClientT_co, TokenT_co], BaseUser):
    """``request.user`` of a verified request; of a two-legged request, the client.

    ``request.user`` is `Any` for type checkers. If a provider has its own models, name them:
    ``user: OAuth1User[MyClient, MyToken] = request.user``.
    """


with_user = users.UserKinds(OAuth1User, UnauthenticatedUser, AuthCredentials).add
