"""A request is accepted once and near its timestamp, and forged copies of it have no effect."""

from __future__ import annotations

import asyncio
import time

import pytest

from async_oauth1 import Client, Policy
from async_oauth1.stores import MemoryStore
from tests.attacks.provider import CLIENT, JANE, Provider, add_credentials, make_provider
from tests.attacks.signer import Keys, Message, authorization, encode, parse, sign


def with_nonce_written(message: Message, written: bytes) -> Message:
    """Replace the nonce in the Authorization header with another spelling."""
    [header] = [value for name, value in message.headers if name == b"authorization"]
    head, _, rest = header.partition(b'oauth_nonce="')
    _, _, tail = rest.partition(b'"')
    changed = head + b'oauth_nonce="' + written + b'"' + tail
    return message.without(b"authorization").adding((b"authorization", changed))


@pytest.mark.rfc5849("3.2/nonce")
async def test_the_same_octets_are_not_accepted_twice(provider: Provider) -> None:
    """A replayed resource request is refused in each transport."""
    for place in ("header", "query", "body"):
        message = sign(JANE, "POST", "/echo", place=place)
        assert (await provider.send(message)).status == 200
        answer = await provider.send(message)
        assert (answer.status, answer.error) == (401, "invalid_nonce")


@pytest.mark.rfc5849("2.1/verified")
async def test_the_first_step_is_not_accepted_twice(provider: Provider) -> None:
    """A replay of the first step issues no second temporary credential."""
    message = sign(CLIENT, "POST", "/initiate", oauth={"callback": "oob"})
    assert (await provider.send(message)).status == 200
    assert (await provider.send(message)).error == "invalid_nonce"
    assert provider.store.calls["create_temporary_credential"] == 1


@pytest.mark.parametrize(
    "written",
    [b"abcA", b"%61bcA", b"abc%41", b"%61%62%63%41", b"abc%2541", b"%2561bcA", b"abc%252541", b"+abcA", b"abcA%00"],
)
@pytest.mark.parametrize("place", ["header", "query", "body"])
async def test_another_spelling_of_a_nonce_is_a_replay(provider: Provider, written: bytes, place: str) -> None:
    """The nonce is decoded once: the same value is a replay, and another value breaks the signature."""
    message = sign(JANE, "POST", "/echo", place=place, oauth={"nonce": "abcA"})
    assert (await provider.send(message)).status == 200
    if place == "header":
        replay = with_nonce_written(message, written)
    else:
        old, new = b"oauth_nonce=abcA", b"oauth_nonce=" + written
        replay = Message(
            method="POST",
            target=message.target.replace(old, new),
            headers=message.headers,
            body=message.body.replace(old, new),
        )
        if place == "body":
            replay = replay.without(b"content-length")
    answer = await provider.send(replay)
    assert answer.status in (400, 401)


@pytest.mark.parametrize(
    "nonce", [b"n%41x", b"a+b", b"a b", b"\xc3\xa9", b"%", b"a&b=c", b'a"b', b"-5784227524038128492"]
)
@pytest.mark.parametrize("place", ["header", "query", "body"])
async def test_any_nonce_works_once(provider: Provider, nonce: bytes, place: str) -> None:
    """A nonce with percent signs, pluses or quotes is accepted once."""
    message = sign(JANE, "POST", "/echo", place=place, oauth={"nonce": nonce})
    assert (await provider.send(message)).status == 200
    assert (await provider.send(message)).error == "invalid_nonce"


async def test_hex_digits_of_either_case_are_one_nonce(provider: Provider) -> None:
    """``%c3%a9`` and ``%C3%A9`` are the same octets, so the second request is a replay."""
    message = sign(JANE, "GET", "/echo", oauth={"nonce": "é"})
    assert (await provider.send(with_nonce_written(message, b"%c3%a9"))).status == 200
    assert (await provider.send(with_nonce_written(message, b"%C3%A9"))).error == "invalid_nonce"
    assert (await provider.send(with_nonce_written(message, b"\xc3\xa9"))).error == "invalid_nonce"


async def test_of_twenty_concurrent_copies_one_is_accepted(durable_provider: Provider) -> None:
    """Checking and storing a nonce is atomic."""
    for _ in range(3):
        message = sign(JANE, "GET", "/echo")
        answers = await asyncio.gather(*(durable_provider.send(message) for _ in range(20)))
        assert sorted(answer.status for answer in answers) == [200] + [401] * 19


async def test_applications_with_one_store_share_their_nonces() -> None:
    """A request that one application accepted is a replay at another with the same store."""
    store = MemoryStore()
    await add_credentials(store)
    first, second = await make_provider(store), await make_provider(store)
    message = sign(JANE, "GET", "/echo")
    assert (await first.send(message)).status == 200
    assert (await second.send(message)).error == "invalid_nonce"


async def test_forged_requests_store_nothing(provider: Provider) -> None:
    """A nonce is stored only after the signature was verified, so a forger cannot use up a client's nonce."""
    genuine = sign(JANE, "GET", "/echo", oauth={"nonce": "victim"})
    for number in range(1000):
        nonce = "victim" if number % 2 else f"{number}" * 20
        forged = sign(JANE, "GET", "/echo", oauth={"nonce": nonce}, signature=b"forged")
        assert (await provider.send(forged)).status == 401
    assert not provider.store.written
    assert (await provider.send(genuine)).status == 200


async def test_similar_clients_tokens_and_nonces_do_not_collide(provider: Provider) -> None:
    """No two combinations of client, token, timestamp and nonce are treated as the same request."""
    store = provider.store.store
    for client_id in ("client-tok", "client:tok", "client-tok-1"):
        await store.add_client(Client(client_id=client_id, client_secret="secret"))
    now = str(int(time.time()))
    requests = [
        sign(JANE, "GET", "/signed", oauth={"nonce": "N1", "timestamp": now}),
        sign(CLIENT, "GET", "/signed", oauth={"nonce": "N1", "timestamp": now}),
        sign(CLIENT, "GET", "/signed", oauth={"nonce": "tok-N1", "timestamp": now}),
        sign(CLIENT, "GET", "/signed", oauth={"nonce": "N1-tok", "timestamp": now}),
        sign(CLIENT, "GET", "/signed", oauth={"nonce": f"N1{now}", "timestamp": now}),
        sign(CLIENT, "GET", "/signed", oauth={"nonce": "N1", "timestamp": str(int(now) + 1)}),
    ]
    for client_id in ("client-tok", "client:tok", "client-tok-1"):
        keys = Keys(client_id=client_id, client_secret="secret")
        requests.append(sign(keys, "GET", "/signed", oauth={"nonce": "N1", "timestamp": now}))
    assert [(await provider.send(message)).status for message in requests] == [200] * len(requests)


@pytest.mark.parametrize(
    ("timestamp", "error"),
    [
        pytest.param("{now}000", "invalid_request", id="milliseconds"),
        pytest.param(" {now}", "invalid_request", id="a leading space"),
        pytest.param("{now} ", "invalid_request", id="a trailing space"),
        pytest.param("{now}\n", "invalid_request", id="a trailing line feed"),
        pytest.param("+{now}", "invalid_request", id="a plus sign"),
        pytest.param("-{now}", "invalid_request", id="a minus sign"),
        pytest.param("0{now}", "invalid_request", id="a leading zero"),
        pytest.param("{now}.0", "invalid_request", id="a fraction"),
        pytest.param("1_795_464_318", "invalid_request", id="underscores"),
        pytest.param("1e9", "invalid_request", id="an exponent"),
        pytest.param("0x6b000000", "invalid_request", id="hexadecimal"),
        pytest.param("٠١٢٣٤٥٦٧٨٩", "invalid_request", id="Arabic-Indic digits"),
        pytest.param("１７９５４６４３１８", "invalid_request", id="full-width digits"),
        pytest.param("0", "invalid_request", id="zero"),
        pytest.param("now", "invalid_request", id="a word"),
        pytest.param("9" * 309, "invalid_request", id="too large for a float"),
        pytest.param("1" + "0" * 3_999, "invalid_request", id="four thousand digits"),
        pytest.param("1" * 4_301, "invalid_request", id="more digits than int() accepts"),
        pytest.param("1", "timestamp_refused", id="one second after the epoch"),
        pytest.param("99999999999", "timestamp_refused", id="the distant future"),
        pytest.param("2147483648", "timestamp_refused", id="beyond 31 bits"),
        pytest.param("999999999999", "timestamp_refused", id="twelve digits"),
        pytest.param("", "missing_required_parameter", id="empty"),
        pytest.param(None, "missing_required_parameter", id="absent"),
    ],
)
async def test_odd_timestamps_are_refused(provider: Provider, timestamp: str | None, error: str) -> None:
    """A timestamp must be a positive integer of seconds, near the server's time (section 3.3)."""
    now = str(int(time.time()))
    answer = await provider.get(oauth={"timestamp": timestamp and timestamp.format(now=now)})
    assert answer.status == (401 if error == "timestamp_refused" else 400)
    assert answer.error == error
    assert not provider.store.calls


async def test_timestamps_in_the_past_and_in_the_future_are_refused() -> None:
    """Ten days in either direction are refused, and the answer contains the server's time."""
    store = MemoryStore()
    await add_credentials(store)
    provider = await make_provider(store, Policy(timestamp_window=60))
    now = 1_800_000_000
    provider.require_oauth.clock = lambda: now
    for distance, status in [(0, 200), (-60, 200), (60, 200), (-61, 401), (61, 401), (864_000, 401), (-864_000, 401)]:
        answer = await provider.get(oauth={"timestamp": str(now + distance)})
        assert answer.status == status
        if status == 401:
            assert answer.error == "timestamp_refused"
            assert str(now) in answer.json["error_description"]


async def test_a_nonce_is_stored_as_long_as_its_timestamp_is_valid() -> None:
    """It is known for two windows after a timestamp in the future; a store with a shorter lifetime is refused."""
    moment = [1_800_000_000.0]
    store = MemoryStore(clock=lambda: moment[0])
    await add_credentials(store)
    provider = await make_provider(store, Policy(timestamp_window=100))
    provider.require_oauth.clock = lambda: moment[0]
    message = sign(JANE, "GET", "/echo", oauth={"timestamp": str(int(moment[0]) + 100)})
    assert (await provider.send(message)).status == 200
    for _ in range(200):
        moment[0] += 1
        assert (await provider.send(message)).error == "invalid_nonce"
    moment[0] += 1
    assert (await provider.send(message)).error == "timestamp_refused"
    with pytest.raises(ValueError, match="needs 260 s"):
        await make_provider(MemoryStore(nonce_lifetime=259), Policy(timestamp_window=100))


async def test_repeated_nonces_can_be_allowed_for_one_client(provider: Provider) -> None:
    """With ``log-only`` that client's replays are accepted; other clients' are refused."""
    await provider.store.store.add_client(Client(client_id="lax", client_secret="s", nonce_policy="log-only"))
    lax = sign(Keys(client_id="lax", client_secret="s"), "GET", "/signed")
    strict = sign(CLIENT, "GET", "/signed")
    assert [(await provider.send(lax)).status for _ in range(3)] == [200] * 3
    assert [(await provider.send(strict)).status for _ in range(3)] == [200, 401, 401]


async def test_plaintext_may_leave_out_timestamp_and_nonce(provider: Provider) -> None:
    """Section 3.1 lets PLAINTEXT omit either; a timestamp counts when it is sent, and a nonce beside a timestamp."""
    keys = Keys(client_id="client", client_secret="secret", token="tok", token_secret="toksecret", method="PLAINTEXT")
    assert (await provider.get(keys=keys, oauth={"timestamp": None, "nonce": None})).status == 200
    assert (await provider.get(keys=keys, oauth={"timestamp": None})).status == 200
    assert (await provider.get(keys=keys, oauth={"nonce": None})).status == 200
    assert not provider.store.written
    assert (await provider.get(keys=keys, oauth={"nonce": None, "timestamp": "1"})).error == "timestamp_refused"
    assert (await provider.get(keys=keys, oauth={"timestamp": ""})).error == "missing_required_parameter"
    assert (await provider.get(keys=keys, oauth={"nonce": ""})).error == "missing_required_parameter"
    message = sign(keys, "GET", "/echo")
    assert [(await provider.send(message)).status for _ in range(2)] == [200, 401]
    assert (await provider.get(oauth={"timestamp": None, "nonce": None})).error == "missing_required_parameter"


async def test_moved_protocol_parameters_are_a_replay(provider: Provider) -> None:
    """The signature does not cover where the parameters are, so the nonce is already used."""
    message = sign(JANE, "GET", "/echo")
    assert (await provider.send(message)).status == 200
    in_query = sign(JANE, "GET", "/echo", place="query")
    assert (await provider.send(in_query)).status == 200
    pairs = parse(in_query.target.partition(b"?")[2])
    host = (b"host", b"provider.example")
    moved = [
        Message(method="GET", target=b"/echo", headers=(host, (b"authorization", authorization(pairs)))),
        Message(
            method="GET",
            target=b"/echo",
            headers=(host, (b"content-type", b"application/x-www-form-urlencoded")),
            body=b"&".join(encode(name) + b"=" + encode(value) for name, value in pairs),
        ),
        Message(method="get", target=in_query.target, headers=(host,)),
    ]
    assert [(await provider.send(replay)).error for replay in moved] == ["invalid_nonce"] * 3
