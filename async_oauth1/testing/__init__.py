"""For tests of OAuth 1.0 clients and providers: a provider to try clients with, and a client to try providers with.

pytest finds the fixtures by itself once this package is installed. ``oauth1_server`` is a provider for tests of a
client, and needs the extra ``serve``::

    def test_my_client(oauth1_server):
        keys = oauth1_server.client()
        answer = my_client.get(oauth1_server.url + "/signed", keys.client_id, keys.client_secret)
        assert answer.status_code == 200, oauth1_server.requests[-1]

`SignedAuth` signs the requests of tests of a provider::

    client = sign_requests(app.test_client(), SignedAuth("client", "secret", "token", "token secret"))
    assert client.get("/photos").status_code == 200

``lti_platform`` is a platform of LTI 1.1 for tests of tools: it launches, and keeps grades. Without pytest,
`OAuth1Server` and `LTIPlatform` are context managers.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .broken import BrokenAuth
    from .clock import Clock
    from .conformance import StoreConformance
    from .credentials import approve_dance, issue_token, register_client
    from .lti_platform import LTIPlatform
    from .server import OAuth1Server
    from .signed_auth import SignedAuth
    from .signing_clients import sign_requests

__all__ = [
    "BrokenAuth",
    "Clock",
    "LTIPlatform",
    "OAuth1Server",
    "SignedAuth",
    "StoreConformance",
    "approve_dance",
    "issue_token",
    "register_client",
    "sign_requests",
]

# Imported at first use: pytest imports this package in each run.
_HOMES = {
    "BrokenAuth": "broken",
    "Clock": "clock",
    "LTIPlatform": "lti_platform",
    "OAuth1Server": "server",
    "SignedAuth": "signed_auth",
    "StoreConformance": "conformance",
    "approve_dance": "credentials",
    "issue_token": "credentials",
    "register_client": "credentials",
    "sign_requests": "signing_clients",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
