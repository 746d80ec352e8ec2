"""ASGI: the parts that work with any framework, and the conversion of a scope to an `OAuth1Request`.

::

    app = OAuth1Middleware(app, protector, prefixes=["/photos"])    # in front of any framework
    endpoints = authorization_endpoints(server)                     # to mount anywhere

    current_credential.get_user_id()                                # while a verified request is handled
"""

from async_oauth1.current import current_client, current_credential, current_oauth1_request
from async_oauth1.retirement import Retirement

from .endpoints import authorization_endpoints
from .exchange import token_exchange
from .health.endpoints import health_endpoints
from .lingering import LingeringMiddleware
from .middleware import OAuth1Middleware
from .requests import request_from_scope, send_response
from .routing.targets import RequestTargetMiddleware
from .startup import check_hooks
from .verifying.demands import Verified

__all__ = [
    "LingeringMiddleware",
    "OAuth1Middleware",
    "RequestTargetMiddleware",
    "Retirement",
    "Verified",
    "authorization_endpoints",
    "check_hooks",
    "current_client",
    "current_credential",
    "current_oauth1_request",
    "health_endpoints",
    "request_from_scope",
    "send_response",
    "token_exchange",
]
