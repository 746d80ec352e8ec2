"""Starlette's and Litestar's test clients stop with the names of missing hooks instead of waiting for ever."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from litestar import Litestar
from litestar.testing import TestClient as LitestarTestClient
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from async_oauth1 import AuthorizationServer, ResourceProtector
from async_oauth1.asgi import OAuth1Middleware, authorization_endpoints, token_exchange
from async_oauth1.errors import MissingHookError
from async_oauth1.fastapi import OAuth1
from async_oauth1.litestar import OAuth1Auth


def starlette() -> Any:
    """Starlette with middleware of its own."""
    return Starlette(middleware=[Middleware(OAuth1Middleware, protector=ResourceProtector(), prefixes=["/"])])


def fastapi() -> Any:
    """FastAPI with an installed dependency."""
    app = FastAPI()
    OAuth1(ResourceProtector()).install(app)
    return app


def litestar() -> Any:
    """Litestar with the security backend."""
    return Litestar(on_app_init=[OAuth1Auth(ResourceProtector()).on_app_init])


def wrapped_litestar() -> Any:
    """Litestar behind the middleware."""
    return OAuth1Middleware(Litestar(), ResourceProtector(), ["/"])


def endpoints() -> Any:
    """The endpoints of an authorization server."""
    return authorization_endpoints(AuthorizationServer())


def exchange() -> Any:
    """The exchange of tokens."""
    return token_exchange(ResourceProtector(), lambda credential, client: {})


@pytest.mark.parametrize("make", [starlette, fastapi, litestar, wrapped_litestar, endpoints, exchange])
@pytest.mark.parametrize("client", [TestClient, LitestarTestClient])
def test_missing_hooks_are_raised(make: Any, client: Any) -> None:
    """The error that names them comes out of ``with TestClient(app)``."""
    with pytest.raises((MissingHookError, ExceptionGroup)) as caught, client(make()):
        raise AssertionError("the application has started")
    error: BaseException = caught.value
    while isinstance(error, BaseExceptionGroup):  # Litestar's own
        (error,) = error.exceptions
    assert isinstance(error, MissingHookError)
    assert "query_client" in str(error)
