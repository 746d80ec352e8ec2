"""For tests of OAuth 1.0 clients: a real provider in the test's own process, which says why it refuses.

pytest finds the fixture ``oauth1_server`` by itself once this package is installed with the extra ``serve``::

    def test_my_client(oauth1_server):
        keys = oauth1_server.client()
        answer = my_client.get(oauth1_server.url + "/signed", keys.client_id, keys.client_secret)
        assert answer.status_code == 200, oauth1_server.requests[-1]

``lti_platform`` is a platform of LTI 1.1 for tests of tools: it launches, and keeps grades. Without pytest,
`OAuth1Server` and `LTIPlatform` are context managers.
"""

from .lti_platform import LTIPlatform
from .server import OAuth1Server

__all__ = ["LTIPlatform", "OAuth1Server"]
