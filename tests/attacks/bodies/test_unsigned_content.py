"""Nothing reaches a view that the signature does not cover, and nothing that it covers is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
from quart import Quart, request

from async_oauth1.quart import ResourceProtector
from tests.attacks.provider import JANE, Provider, make_provider
from tests.attacks.signer import FORM, Message, body_hash, sign
from tests.attacks.wire import call


@pytest.mark.parametrize(
    ("signed", "sent"),
    [
        pytest.param(b"a=1", b"a=1&a=999", id="a repeated field is added behind"),
        pytest.param(b"a=2", b"a=666&a=2", id="a repeated field is added in front"),
        pytest.param(b"", b"amount=100", id="a form is added"),
        pytest.param(b"", b'amount=100&x="', id="a form with a quote in it is added"),
        pytest.param(b"", b"amount=100&x=%zz", id="a form with a broken escape is added"),
        pytest.param(b"", b"amount=100&x=[]", id="a form with brackets is added"),
        pytest.param(b"", b"amount=100&\xff=\xfe", id="a form that is not UTF-8 is added"),
        pytest.param(b"", b"amount=100&x=\xc3\xa9", id="a form that is not ASCII is added"),
        pytest.param(b"a=1&b=2", b"a=1", id="a field is taken away"),
        pytest.param(b"a=1", b"a=1&realm=evil", id="a field called realm is added"),
        pytest.param(b"a=1", b"A=1", id="the case of a name is changed"),
        pytest.param(b"a=1", b"a=1&b", id="a field without value is added"),
        pytest.param(b"a=1", b"a=1&=", id="a field without name and value is added"),
        pytest.param(b"a=%EF%BF%BD", b"a=%FF", id="U+FFFD is exchanged for what is not UTF-8"),
        pytest.param(b"a=%FE", b"a=%FF", id="what is not UTF-8 is exchanged for something else that is not"),
        pytest.param(b"a=%C0%AF", b"a=%2F", id="an overlong form is exchanged for the character"),
        pytest.param(b"a=1&b=2", b"a=1;b=2", id="a semicolon is made a separator"),
        pytest.param(b"a=b+c", b"a=b%2Bc", id="a space is exchanged for a plus"),
        pytest.param(b"a=%2541", b"a=%41", id="a double escape is undone"),
        pytest.param(b"a=1%00", b"a=1", id="a NUL is taken away"),
    ],
)
@pytest.mark.parametrize("where", ["query", "form"])
async def test_parameters_cannot_be_changed_after_signing(
    provider: Provider, signed: bytes, sent: bytes, where: str
) -> None:
    """What a view would see must be what was signed, in the query and in the form alike."""
    if where == "query":
        answer = await provider.get(b"/echo?" + sent, signed_target=b"/echo?" + signed)
    else:
        answer = await provider.get(method="POST", body=sent, signed_body=signed)
    assert (answer.status, answer.error) == (401, "invalid_signature")
    assert provider.seen == []
    assert not provider.store.written


@pytest.mark.parametrize(
    "pairs",
    [
        pytest.param(b"a=1&a=2", id="a repeated name"),
        pytest.param(b"a=2&a=1&a=2", id="a repeated name and value"),
        pytest.param(b"realm=foo", id="a parameter called realm"),
        pytest.param(b"q=%E4%BD%A0", id="two ideograms"),
        pytest.param(b"q=caf%C3%A9", id="an accent"),
        pytest.param(b"a=%22b%22", id="quotes"),
        pytest.param(b"q[]=1", id="bare brackets"),
        pytest.param(b"a='b'", id="bare apostrophes"),
        pytest.param(b"a={}&b=$&c=|&d=^&e=`&f=<>&g=\\", id="characters that no URI should hold"),
        pytest.param(b'a="b"', id="bare quotes"),
        pytest.param(b"a=%zz", id="a malformed escape"),
        pytest.param(b"a=%&b=%1&c=%%41", id="percent signs that escape nothing"),
        pytest.param(b"q=%FF", id="octets that are not UTF-8"),
        pytest.param(b"q=\xff\xfe\xe9", id="raw octets that are not UTF-8"),
        pytest.param(b"a&b=&=c&=", id="names without values and values without names"),
        pytest.param(b"&&a=1&&b=2&", id="ampersands that separate nothing"),
        pytest.param(b"a=1;b=2;c", id="semicolons"),
        pytest.param(b"a=b=c==", id="equals signs in a value"),
        pytest.param(b"a+b=c+d%20e%2Bf", id="spaces and pluses"),
        pytest.param(b"a=*'()!~", id="characters that some clients leave bare"),
        pytest.param(b"a=%2a%27%28%29%21%7e%41", id="escapes in lower case that are not needed"),
        pytest.param(b"a=%00&b=%0a%0D%1b", id="control characters"),
        pytest.param(b"a=%252F&b=%2525", id="escapes of escapes"),
        pytest.param(b"xoauth_requestor_id=me%40x.example", id="a name that only looks like the protocol's"),
    ],
)
@pytest.mark.parametrize("where", ["query", "form"])
async def test_correctly_signed_parameters_verify(provider: Provider, pairs: bytes, where: str) -> None:
    """Whatever the octets are, a signature over them holds, in the query and in the form alike."""
    if where == "query":
        answer = await provider.get(b"/echo?" + pairs)
    else:
        answer = await provider.get(method="POST", body=pairs)
    assert answer.status == 200, answer


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET", "PROPFIND"])
async def test_a_form_counts_whatever_the_method_is(provider: Provider, method: str) -> None:
    """A form on PUT or DELETE is as much signed as one on POST: it verifies, and cannot be slipped in."""
    assert (await provider.get(method=method, body=b"a=1&a=2")).json["form"] == [["a", "1"], ["a", "2"]]
    assert (await provider.get(method=method, body=b"a=1", signed_body=b"")).status == 401


@pytest.mark.parametrize(
    "content_type",
    [
        b"application/x-www-form-urlencoded",
        b"Application/X-WWW-Form-URLEncoded",
        b"application/x-www-form-urlencoded; charset=UTF-8",
        b"application/x-www-form-urlencoded;charset=iso-8859-1",
        b"APPLICATION/X-WWW-FORM-URLENCODED ; x=multipart/form-data",
        b" application/x-www-form-urlencoded",
    ],
)
async def test_a_form_is_known_by_its_media_type_in_any_case(provider: Provider, content_type: bytes) -> None:
    """No spelling of the media type hides a form from the signature while the framework still parses it."""
    good = await provider.get("/form", method="POST", body=b"a=1", content_type=FORM)
    assert good.json == {"form": [["a", "1"]]}
    message = sign(JANE, "POST", "/form", body=b"a=1", signed_body=b"").without(b"content-type")
    assert (await provider.send(message.adding((b"content-type", content_type)))).status == 401
    message = sign(JANE, "POST", "/form", body=b"a=1").without(b"content-type")
    assert (await provider.send(message.adding((b"content-type", content_type)))).status == 200


@pytest.mark.parametrize(
    "content_type",
    [
        b"text/plain; x=application/x-www-form-urlencoded",
        b"application/x-www-form-urlencoded-not",
        b"xapplication/x-www-form-urlencoded",
        b"application/json",
        b"text/plain, application/x-www-form-urlencoded",
    ],
)
async def test_what_is_no_form_is_not_signed_as_one(provider: Provider, content_type: bytes) -> None:
    """Only the media type itself makes a form; a name that some parser takes for one is refused."""
    message = sign(JANE, "POST", "/form", body=b"a=1", signed_body=b"").without(b"content-type")
    answer = await provider.send(message.adding((b"content-type", content_type)))
    assert answer.status == 415 if b"urlencoded" in content_type else answer.json == {"form": []}
    message = sign(JANE, "POST", "/form", body=b"a=1").without(b"content-type")
    answer = await provider.send(message.adding((b"content-type", content_type)))
    assert answer.status == (415 if b"urlencoded" in content_type else 401)


async def test_two_content_types_are_refused(provider: Provider) -> None:
    """Two readers could each believe another one."""
    for first, second in [(FORM, b"text/plain"), (b"text/plain", FORM), (FORM, FORM)]:
        message = sign(JANE, "POST", "/form", body=b"a=1").without(b"content-type")
        answer = await provider.send(message.adding((b"content-type", first), (b"Content-Type".lower(), second)))
        assert (answer.status, answer.error) == (400, "invalid_request")


async def test_the_view_still_reads_the_form_afterwards(provider: Provider) -> None:
    """Verification leaves the body for the view, whole or sent in pieces."""
    message = sign(JANE, "POST", "/form", body=b"a=1&b=%C3%A9&a=2")
    expected = {"form": [["a", "1"], ["a", "2"], ["b", "é"]]}
    assert (await provider.send(message)).json == expected
    message = sign(JANE, "POST", "/form", body=b"a=1&b=%C3%A9&a=2")
    pieces = [bytes((octet,)) for octet in message.body]
    assert (await provider.send(message, pieces=pieces)).json == expected
    message = sign(JANE, "POST", "/form", body=b"a=1&b=%C3%A9&a=2").without(b"content-length")
    assert (await provider.send(message, pieces=pieces)).json == expected


CHUNKED = (b"transfer-encoding", b"chunked")
KINDS = {"form": FORM, "hash": b"application/json", "policy": b"application/json"}


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("kind", ["form", "hash", "policy"])
@pytest.mark.parametrize("reader", ["form", "values", "discard", "iterate", "peek"])
async def test_a_body_that_was_read_before_is_not_taken_for_an_empty_one(
    provider: Provider, reader: str, kind: str, *, chunked: bool
) -> None:
    """An application that looks into the body first must not make it unsigned: as a form, by its hash or by policy."""

    @provider.app.before_request
    async def look() -> None:
        if reader == "discard":
            await request.get_data(cache=False)
        elif reader in ("iterate", "peek"):
            async for _ in request.body:
                if reader == "peek":
                    break
        else:
            await getattr(request, reader)

    hashed = {"body_hash": body_hash(b"", "sha1")} if kind == "hash" else {}
    if kind == "policy":
        provider.require_oauth.policy = replace(provider.require_oauth.policy, require_signed_body=True)
    message = sign(JANE, "POST", "/form", signed_body=b"", oauth=hashed, body=b"amount=100", content_type=KINDS[kind])
    if chunked:
        message = message.without(b"content-length").adding(CHUNKED)
    answer = await provider.send(message, pieces=[b"amount", b"=100"])
    assert answer.status in (400, 401)
    assert not provider.store.written


@pytest.mark.parametrize("reader", ["form", "values", "data", "get_data"])
async def test_a_form_that_was_read_before_still_verifies(provider: Provider, reader: str) -> None:
    """Looking at the form before the view is no reason to refuse it, where the framework keeps it."""

    @provider.app.before_request
    async def look() -> None:
        await (request.get_data() if reader == "get_data" else getattr(request, reader))

    answer = await provider.get("/form", method="POST", body=b"amount=100")
    assert answer.json == {"form": [["amount", "100"]]}
    message = sign(JANE, "POST", "/form", body=b"amount=100").without(b"content-length")
    assert (await provider.send(message)).json == {"form": [["amount", "100"]]}


@pytest.mark.parametrize("space", [b"\xa0", b"\x85", b"\x0b", b"\x0c", b"\x1c", b"\x1f", b"\t", b"\x00"])
async def test_odd_white_space_does_not_hide_a_form(provider: Provider, space: bytes) -> None:
    """Such a media type is a form's, whose fields are signed, or it is refused."""
    for kind in (space + FORM, FORM + space, FORM + space + b";charset=utf-8", FORM + b";" + space):
        message = sign(JANE, "POST", "/form", body=b"amount=100", signed_body=b"").without(b"content-type")
        answer = await provider.send(message.adding((b"content-type", kind)))
        assert answer.status == (401 if space == b"\t" else 415)


async def test_a_multipart_field_is_neither_signed_nor_a_protocol_parameter(provider: Provider) -> None:
    """Section 3.4.1.3.1 leaves multipart bodies out of the signature, section 3.5.2 keeps oauth_ out of them."""
    part = b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    upload = part % (b"title", b"a holiday") + b"--x--\r\n"
    kind = b"multipart/form-data; boundary=x"
    answer = await provider.get("/form", method="POST", body=upload, content_type=kind)
    assert answer.json == {"form": [["title", "a holiday"]]}
    names = [b"consumer_key", b"token", b"signature_method", b"timestamp", b"nonce", b"signature"]
    hidden = b"".join(part % (b"oauth_" + name, b"x") for name in names) + b"--x--\r\n"
    message = Message(
        method="POST",
        target=b"/form",
        headers=((b"host", b"provider.example"), (b"content-type", kind)),
        body=hidden,
    )
    answer = await provider.send(message)
    assert (answer.status, answer.error) == (401, "unsigned_request")
    assert (answer.header("www-authenticate") or "").startswith("OAuth ")


async def test_the_headers_realm_alone_is_unsigned(provider: Provider) -> None:
    """Section 3.4.1.3.1 exempts the realm of the Authorization header, whatever it says, and no other."""
    assert (await provider.get("/echo?a=1", realm=b"Photos")).status == 200
    assert (await provider.get("/echo?a=1", realm=b"")).status == 200
    for name in (b"realm", b"REALM", b"re%61lm"):
        added = b"/echo?a=1&" + name + b"=x"
        assert (await provider.get(added, signed_target="/echo?a=1", realm=b"Photos")).status == 401
        assert (await provider.get(added, realm=b"Photos")).status == 200


async def test_a_header_parameter_outside_the_protocol_is_signed(provider: Provider) -> None:
    """Such a parameter is unescaped once and counts."""
    also = [(b"xoauth_requestor_id", b"me@x.example")]
    assert (await provider.get(also=also)).status == 200
    message = sign(JANE, "GET", "/echo", also=also)
    [header] = [value for name, value in message.headers if name == b"authorization"]
    changed = header.replace(b"me%40x", b"you%40x")
    assert (await provider.send(message.without(b"authorization").adding((b"authorization", changed)))).status == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"signed_method": "POST"},
        {"signed_target": "/echo/b"},
        {"signed_target": "/ECHO/a"},
        {"signed_target": "/echo/a/"},
        {"signed_target": "/echo/%61"},
        {"signed_origin": "http://provider.example"},
        {"signed_origin": "https://evil.example"},
        {"signed_origin": "https://provider.example:8443"},
        {"signed_origin": "https://provider.example."},
        {"signature": b""},
        {"signature": b"x"},
        {"signature": b"=" * 10_000},
    ],
    ids=str,
)
async def test_a_signature_for_something_else_is_refused(provider: Provider, changes: dict[str, str]) -> None:
    """Method, path, scheme, host and port are all signed."""
    answer = await provider.get("/echo/a", **changes)
    assert answer.status in (400, 401)
    assert not provider.store.written


async def test_every_key_is_needed(provider: Provider) -> None:
    """A signature under one wrong secret does not hold, however near it is."""
    for wrong in (
        replace(JANE, client_secret="Secret"),
        replace(JANE, client_secret=""),
        replace(JANE, token_secret=""),
        replace(JANE, client_secret="secret&toksecret", token_secret=""),
        replace(JANE, client_secret="toksecret", token_secret="secret"),
    ):
        assert (await provider.get(keys=wrong)).status == 401


async def test_a_lone_protector_reads_the_body_once_for_two_protectors() -> None:
    """Two protectors in one request, as a blueprint's and the view's, both see the whole form."""
    provider = await make_provider()
    app = Quart("second")
    guards = []
    for name in ("first", "second"):
        guard = ResourceProtector(app, policy=provider.require_oauth.policy)
        guard.register_hook("exists_nonce", lambda *_: False)
        guard.register_hooks(provider.store)
        guards.append((name, guard))

    @app.post("/form")
    @guards[0][1]
    @guards[1][1]
    async def form() -> dict[str, str]:
        return dict((await request.form).items())

    for message in (sign(JANE, "POST", "/form", body=b"a=1"), sign(JANE, "POST", "/form", body=b"a=1")):
        assert (await call(app, message)).json == {"a": "1"}
        assert (await call(app, message.without(b"content-length"))).json == {"a": "1"}
