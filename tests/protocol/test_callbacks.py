"""Callback URIs (RFC 5849 sections 2.1 and 2.2): their syntax, registration, and appended parameters."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from async_oauth1 import Client
from async_oauth1.errors import InvalidRequestError
from async_oauth1.protocol.callbacks import append_parameters, callback_matches, check_callback_syntax, is_loopback_host
from tests.provider.provider import Provider, fields


@pytest.mark.parametrize(
    "uri",
    [
        "oob",
        "http://printer.example.com/ready",
        "https://printer.example.com",
        "https://printer.example.com:8443/a/b?c=d&e=%2Fhome&f=a%20b",
        "http://127.0.0.1:9999/",
        "http://localhost/cb",
        "http://[::1]:8080/cb",
        "com.example.printer:/ready",
        "myapp://ready",
        "https://a.example/?next=http://b.example/",
        "https://a.example/?not_oauth_token=1&oauth_tokens=2&x=oauth_token",
        "https://a.example/;a=b,c'()!*$",
        "HTTPS://A.example/",
    ],
)
def test_accepted(uri: str) -> None:
    """http and https URIs with a host, custom schemes, and ``oob``."""
    check_callback_syntax(uri)


@pytest.mark.rfc5849("2.1/oob")
@pytest.mark.parametrize(
    "uri",
    [
        "",
        "/relative",
        "//host/path",
        "printer.example.com/ready",
        "OOB",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "javascript://x.test/%0aalert(1)",
        "data:text/html,x",
        "data://x/",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://a/",
        "filesystem:x",
        "view-source:http://a/",
        "about:blank",
        "http:",
        "http://",
        "http:///path",
        "http:/a.example/",
        "http:a.example",
        "https://:443/",
        "https://user@a.example/",
        "https://good.example@evil.example/",
        "https://good.example:80@evil.example/",
        "https://@a.example/",
        "myapp://user@host/",
        "https://a.example/#fragment",
        "https://a.example/#",
        "https://a.example/\r\nX: y",
        "https://a.example/\n",
        "\nhttps://a.example/",
        "https://a.example/a b",
        "https://a.example/\t",
        "https://a.example/\x00",
        "https://a.example/\x7f",
        "https://a.example/\u2028",
        "https://ä.example/",
        "https://a.example/é",
        "https://a.example\\@evil.example/",
        "https://a.example/\\",
        'https://a.example/"',
        "https://a.example/<script>",
        "https://a.example/{x}",
        "https://a.example:port/",
        "https://a.example:65536/",
        "https://[::1/",
        "https://[x]/",
        "https://c.example/cb?oauth_verifier=fake",
        "https://c.example/cb?oauth_verifier",
        "https://c.example/cb?a=b&oauth_token=x",
        "https://c.example/cb?oauth%5Fverifier=fake",
        "https://c.example/cb?%6f%61uth_verifier=fake",
        "https://c.example/cb?o%61uth_verifi%65r=fake",
        "https://c.example/cb?a=b;oauth_verifier=fake",
    ],
)
def test_refused(uri: str) -> None:
    """URIs without a host, with a fragment, user, control character, script scheme, or the provider's parameters."""
    with pytest.raises(InvalidRequestError, match="oauth_callback"):
        check_callback_syntax(uri)


@given(st.text(max_size=40))
def test_any_text_is_accepted_or_refused(uri: str) -> None:
    """Any text is accepted or raises InvalidRequestError; accepted text is one line of printable ASCII."""
    for candidate in (uri, f"http://{uri}", f"https://a.example{uri}"):
        try:
            check_callback_syntax(candidate)
        except InvalidRequestError:
            continue
        assert candidate.isascii()
        assert candidate.isprintable()
        assert "#" not in candidate


@pytest.mark.parametrize(
    ("uri", "registered", "expected"),
    [
        ("https://legit.com/cb", ["https://legit.com/cb"], True),
        ("https://legit.com/cb", ["https://other.com", "https://legit.com/cb"], True),
        ("https://legit.com/cb", [], False),
        ("https://legit.com/cb/", ["https://legit.com/cb"], False),
        ("https://legit.com/cb/../x", ["https://legit.com/cb"], False),
        ("https://legit.com/cb%2e", ["https://legit.com/cb."], False),
        ("https://legit.com/CB", ["https://legit.com/cb"], False),
        ("http://legit.com/cb", ["https://legit.com/cb"], False),
        ("https://legit.com:443/cb", ["https://legit.com/cb"], False),
        ("https://legit.com:8443/cb", ["https://legit.com/cb"], False),
        ("https://legit.com.evil.com", ["https://legit.com"], False),
        ("https://legit.com@evil.com", ["https://legit.com"], False),
        ("https://legit.comevil", ["https://legit.com"], False),
        ("https://evil.com/https://legit.com/cb", ["https://legit.com/cb"], False),
        ("https://legit.com/cb?a=b", ["https://legit.com/cb"], False),
        ("https://legit.com/cb", ["https://legit.com/cb?a=b"], False),
        ("oob", ["https://legit.com/cb"], False),
        ("oob", ["oob"], True),
        ("https://legit.com/cb", ["oob"], False),
        ("com.example.app:/cb", ["com.example.app:/cb"], True),
        ("com.example.app2:/cb", ["com.example.app:/cb"], False),
    ],
)
def test_registered(uri: str, registered: list[str], expected: bool) -> None:
    """The whole string must be equal, without prefixes or normalization."""
    assert callback_matches(uri, registered) is expected


@pytest.mark.parametrize(
    ("uri", "registered", "expected"),
    [
        ("http://127.0.0.1:51004/cb", "http://127.0.0.1/cb", True),
        ("http://127.0.0.1/cb", "http://127.0.0.1:8000/cb", True),
        ("http://[::1]:51004/cb", "http://[::1]:1/cb", True),
        ("http://localhost:51004/cb?a=b", "http://localhost/cb?a=b", True),
        ("http://127.0.0.1:1/other", "http://127.0.0.1/cb", False),
        ("https://127.0.0.1:1/cb", "http://127.0.0.1/cb", False),
        ("http://localhost:1/cb", "http://127.0.0.1/cb", False),
        ("http://127.0.0.2:1/cb", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1.evil.example:1/cb", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1:1.evil.example/cb", "http://127.0.0.1/cb", False),
        ("http://localhost.evil.example/cb", "http://localhost/cb", False),
        ("http://a.example:1/cb", "http://a.example/cb", False),
        ("myapp://127.0.0.1:1/cb", "myapp://127.0.0.1/cb", False),
        ("http://127.0.0.1:1/127.0.0.1:1", "http://127.0.0.1:2/127.0.0.1:1", True),
        ("http://127.0.0.1:1/127.0.0.1:1", "http://127.0.0.1:2/127.0.0.1:2", False),
    ],
)
def test_loopback_any_port(uri: str, registered: str, expected: bool) -> None:
    """RFC 8252 section 7.3: a native application may use any free port on loopback; nothing else may differ."""
    try:
        check_callback_syntax(uri)
        verdict = callback_matches(uri, [registered])
    except InvalidRequestError:
        verdict = False
    assert verdict is expected


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://a.example/cb?state=1", True),
        ("https://a.example/cb", True),
        ("https://a.example/cb?", True),
        ("https://a.example/cb2?state=1", False),
        ("https://a.example/cb/?state=1", False),
        ("https://b.example/cb?state=1", False),
    ],
)
def test_query_may_differ_if_enabled(uri: str, expected: bool) -> None:
    """OAuth 1.0 has no state parameter, so a client may be allowed to keep its state in the query."""
    registered = ("https://a.example/cb?x=y",)
    client = Client(client_id="c", callbacks=registered, callback_query_may_differ=True)
    assert client.check_callback(uri) is expected
    assert Client(client_id="c", callbacks=registered).check_callback(uri) is False


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True), ("LOCALHOST", True), ("a.localhost", True), ("127.0.0.1", True), ("127.1.2.3", True),
        ("::1", True), ("::ffff:127.0.0.1", True), ("", False), (None, False), ("notlocalhost", False),
        ("localhost.example", False), ("10.0.0.1", False), ("::", False), ("::ffff:10.0.0.1", False),
        ("unix:/run/x", False), ("127.0.0.1.example", False), ("localhost.", True), ("127.0.0.1.", True), (".", False),
    ],
)  # fmt: skip
def test_loopback_hosts(host: str | None, expected: bool) -> None:
    """Names and addresses of the machine itself."""
    assert is_loopback_host(host) is expected


@pytest.mark.rfc5849("2.2/query-kept")
@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("http://a.example", "http://a.example?t=1&v=%26%20x"),
        ("http://a.example/cb", "http://a.example/cb?t=1&v=%26%20x"),
        ("http://a.example/cb?", "http://a.example/cb?t=1&v=%26%20x"),
        ("http://a.example/cb?x=%2f+%zz;y", "http://a.example/cb?x=%2f+%zz;y&t=1&v=%26%20x"),
        ("http://a.example/cb?x&", "http://a.example/cb?x&t=1&v=%26%20x"),
        ("http://a.example/cb?x=?", "http://a.example/cb?x=?&t=1&v=%26%20x"),
        ("myapp:ready", "myapp:ready?t=1&v=%26%20x"),
    ],
)
def test_append_parameters(uri: str, expected: str) -> None:
    """The URI is kept octet for octet, and the appended parameters are escaped."""
    assert append_parameters(uri, [("t", "1"), ("v", "& x")]) == expected


@given(st.lists(st.tuples(st.text("ab&=#%? é\r\n", min_size=1), st.text("ab&=#%? é\r\n")), min_size=1, max_size=3))
def test_appended_parameters_can_be_read_back(parameters: list[tuple[str, str]]) -> None:
    """The client reads any token back unchanged, and no value can break the Location header."""
    location = append_parameters("http://a.example/cb?x=1", parameters)
    assert location.isprintable()
    assert parse_qsl(urlsplit(location).query, keep_blank_values=True) == [("x", "1"), *parameters]


class _Bare:
    """A client model with the two methods that Authlib's documentation requires."""

    def get_client_secret(self) -> str:
        return "kd94hf93k423kf44"

    def get_rsa_public_key(self) -> None:
        return None


@pytest.mark.parametrize(
    ("callback", "status"),
    [
        ("http://anywhere.example/cb", 200),
        ("https://anywhere.example/cb", 200),
        ("oob", 200),
        ("myapp://ready", 400),
        ("intent://x/#Intent;end", 400),
        ("ms-settings:x", 400),
    ],
)
def test_client_model_without_check_callback(callback: str, status: int) -> None:
    """Without a list of callbacks http, https and ``oob`` are accepted, and custom schemes are refused."""
    provider = Provider()
    provider.hooks.replaced["query_client"] = lambda client_id: _Bare()
    response = provider.initiate(provider.client.wire("POST", oauth_callback=callback))
    assert response.status_code == status


@pytest.mark.parametrize("callback", ["http://evil.example/", "http://printer.example.com/ready/", "myapp://x"])
def test_unregistered_callback_is_refused_at_the_first_step(provider: Provider, callback: str) -> None:
    """With a valid signature the answer is 400, and nothing is stored."""
    response = provider.initiate(provider.client.wire("POST", oauth_callback=callback))
    assert response.status_code == 400
    assert "not registered" in fields(response)["error_description"]
    assert provider.hooks.changes == []


def test_a_wrong_signature_hides_which_callbacks_are_registered(provider: Provider) -> None:
    """The answer to a registered and to an unregistered callback is the same."""
    answers = [
        provider.initiate(provider.client.wire("POST", oauth_callback=callback, signature="x"))
        for callback in ("http://printer.example.com/ready", "http://evil.example/")
    ]
    assert answers[0] == answers[1]
    assert answers[0].status_code == 401


def test_client_without_callbacks_is_refused(provider: Provider) -> None:
    """`Client` without callbacks accepts none, not even ``oob``."""
    provider.add(Client(client_id="bare", client_secret="kd94hf93k423kf44"))
    for callback in ("http://a.example/", "oob"):
        wire = provider.client.wire("POST", oauth_callback=callback, oauth_consumer_key="bare")
        assert provider.initiate(wire).status_code == 400


def test_oob_needs_registration(provider: Provider) -> None:
    """It is refused unless it is registered, even for a client with other callbacks."""
    assert provider.initiate(provider.client.wire("POST", oauth_callback="oob")).status_code == 200
    provider.add(Client(client_id="web", client_secret="kd94hf93k423kf44", callbacks=("http://a.example/",)))
    wire = provider.client.wire("POST", oauth_callback="oob", oauth_consumer_key="web")
    assert provider.initiate(wire).status_code == 400


def test_a_callback_that_is_too_long_is_refused() -> None:
    """It is stored with each temporary credential, so its length is limited."""
    check_callback_syntax("https://a.example/" + "a" * 1_982)
    with pytest.raises(InvalidRequestError, match="2000 characters"):
        check_callback_syntax("https://a.example/" + "a" * 1_983)
