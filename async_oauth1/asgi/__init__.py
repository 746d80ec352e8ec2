"""ASGI: middleware that runs in front of any framework, and the conversion of a scope to an `OAuth1Request`."""

from .lingering import LingeringMiddleware
from .middleware import OAuth1Middleware, Verified
from .requests import request_from_scope, send_response
from .targets import RequestTargetMiddleware

__all__ = [
    "LingeringMiddleware",
    "OAuth1Middleware",
    "RequestTargetMiddleware",
    "Verified",
    "request_from_scope",
    "send_response",
]
