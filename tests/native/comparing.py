"""Read the same request natively and in Python, and compare everything that a verification uses.

    python -m tests.native.comparing [EXTENSION] [SECONDS]

As a program it compares all listed cases, and mutations for some seconds; with the path of an extension, that one.
"""

from __future__ import annotations

import importlib.util
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Parts = dict[str, Any]


def load(path: str) -> None:
    """Use the extension in this file, for faulty and sanitized ones; to be called before anything is imported."""
    name = "async_oauth1.native.extension"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules[name] = module


if __name__ == "__main__" and len(sys.argv) > 1:
    load(sys.argv[1])

from async_oauth1 import OAuth1Error, OAuth1Request, native  # noqa: E402 - after `load`
from async_oauth1.policy import SizeLimits  # noqa: E402
from async_oauth1.provider.lane.steps import usual_timestamp  # noqa: E402

#: How many requests were read natively, and how many were left to Python.
READ: Counter[bool] = Counter()


@contextmanager
def in_python() -> Iterator[None]:
    """Read no request natively."""
    read, read_scope = native.read, native.read_scope
    native.read = native.read_scope = lambda *_: None
    try:
        yield
    finally:
        native.read, native.read_scope = read, read_scope


@contextmanager
def counted() -> Iterator[None]:
    """Count in `READ`."""
    read = native.read

    def count(*parts: Any) -> Any:
        found = read(*parts)
        READ[found is not None] += 1
        return found

    native.read = count
    try:
        yield
    finally:
        native.read = read


def outcome(parts: Parts) -> Any:
    """What a request is read as: its attributes, or its error."""
    try:
        read = OAuth1Request(**parts)
    except OAuth1Error as error:
        return error_of(error)
    return attributes(read)  # outside: the lazy attributes of a request that was read natively come from Python


def error_of(error: OAuth1Error) -> tuple[Any, ...]:
    """What clients and logs are told."""
    return type(error).__name__, str(error), error.description, error.status_code


def attributes(request: OAuth1Request) -> tuple[Any, ...]:
    """Everything that may depend on the reader. Parameters are compared with their order."""
    return (
        request.method,
        request.scheme,
        request.host,
        request.raw_path,
        request.raw_query,
        request.raw_headers,
        request.peer,
        request.body,
        request.is_form,
        request.may_be_rewritten,
        request.signature_type,
        list(request.oauth_params.items()),
        request.realm,
        request.signature_base_string,
        request.canonical_forms,
        request.has_other_header_parameters,
        request.other_header_parameters,
        [(name, error_of(error)) for name, error in request.deviations],
        request.params,
        request.signature,
        judgement(request),
    )


def judgement(request: OAuth1Request) -> tuple[int, int]:
    """What the lane is told of the parameters; by Python, if the native reader does not say."""
    if request.usual_timestamp:
        return request.usual_timestamp, request.identifiers_size
    return usual_timestamp(request.oauth_params)


def compare(**parts: Any) -> Any:
    """Read both ways.

    Raises:
        AssertionError: the results differ.
    """
    found = outcome(parts)
    with in_python():
        expected = outcome(parts)
    if found != expected:
        raise AssertionError(f"read differently: {parts!r}\nnatively:  {found!r}\nin Python: {expected!r}")
    return found


FORM = (b"content-type", b"application/x-www-form-urlencoded")


def request(
    header: bytes | None = None, query: bytes = b"", form: bytes | None = None, max_parameters: int = 1_000, **more: Any
) -> Parts:
    """The arguments of a request."""
    headers = [(b"host", b"a.example")]
    headers += [] if header is None else [(b"Authorization", header)]
    headers += [] if form is None else [FORM]
    parts: Parts = {"method": "GET", "scheme": "https", "host": "a.example", "raw_path": b"/photos"}
    limits = SizeLimits(max_parameters=max_parameters)
    return parts | {"raw_query": query, "headers": headers, "body": form, "limits": limits} | more


PROTOCOL = (
    b'oauth_consumer_key="dpf43f3p2l4k3l03", oauth_token="nnch734d00sl2jdk", oauth_signature_method="HMAC-SHA1", '
    b'oauth_timestamp="1700000000", oauth_nonce="kllo9940pd9333jh", oauth_version="1.0", '
    b'oauth_signature="74KNZJeDHnMBp0EMJ9ZHt%2FXKycU%3D"'
)
GOOD = (
    request(b'OAuth realm="Photos", ' + PROTOCOL, b"file=vacation.jpg&size=original"),
    request(b"OAuth " + PROTOCOL.replace(b", ", b","), b"a=%2B+%7e&b&=&&c=%c3%a4", b"x=1&x=0&y=%zz&z=a=b"),
    request(query=b"b=2&" + PROTOCOL.replace(b'"', b"").replace(b", ", b"&") + b"&a=1"),
    request(
        form=PROTOCOL.replace(b'"', b"").replace(b", ", b"&") + b"&a=1", raw_path=b"/a%20b/\xc3\xa4", method="post"
    ),
)


def listed() -> Iterator[Parts]:
    """Cases of the grammar, one by one."""
    yield from GOOD
    for header in (
        b"", b"OAuth", b"OAuth ", b"OAuth  ", b'OAuth  a="b"', b'oauth a="b"', b'OAuth\ta="b"', b"Bearer x",
        b'OAuthx a="b"',
        b'OAuth a="b",', b'OAuth a="b",,c="d"', b'OAuth a="b" ,c="d"', b'OAuth a="b",  c="d"', b'OAuth a="b",\tc="d"',
        b'OAuth a=b', b'OAuth a="b', b'OAuth a="', b'OAuth a="b"c', b'OAuth "a"="b"', b'OAuth a ="b"', b'OAuth a= "b"',
        b'OAuth a="\\"b"', b'OAuth a="b\\', b'OAuth a="\xe4+ %zz%"', b'OAuth a="%41%7e%2b"', b'OAuth ="b"',
        b'OAuth a=""',
        b'OAuth realm="c"', b'OAuth realm="c",', b'OAuth realm="c", ', b'OAuth realm="c",  a="b"',
        b'OAuth realm="c" a="b"',
        b'OAuth realm="", a="b"', b'OAuth realm="\\"", a="b"', b'OAuth realm="\xe4;,=", a="b"', b'OAuth realm=c, a="b"',
        b'OAuth REALM="c", a="b"', b'OAuth a="b", realm="c"', b'OAuth a="b", rEaLm="c", d="e"',
        b'OAuth realm="c", Realm="d"',
        b'OAuth realm="c",ab="d"', b'OAuth realms="c"', b'OAuth ream="c"', b'OAuth realm%3D="c"',
        b'OAuth realm="c", realm="d", a="b"',
        b'OAuth oauth_a="%FF"', b'OAuth oauth_a="%ED%A0%80"', b'OAuth oauth_a="%C3%A4"', b'OAuth oauth_a="%00"',
        b'OAuth oauth_a="\xc3\xa4"', b'OAuth oauth_a="1", oauth_a="1"', b'OAuth oauth_a="1", oauth_b="2", oauth_a="3"',
        b'OAuth oauth_="1", oauth="2", oauth_ab="3", oauth_a="4"', b'OAuth oauth%5Fa="1"',
        b'OAuth xoauth_a="1", oauth_b="2"',
        b'OAuth oauth_signature="1", oauth_signature_method="2", oauth_signatur="3", a="4"', b'OAuth Oauth_a="1"',
    ):  # fmt: skip
        yield request(header)
        yield request(header, b"oauth_b=1&oauth_signature=2&a")
    for octets in (
        b"&", b"&&a", b"a&b&", b"a=1&a=0&a", b"a==", b"=", b"=a", b"a=%", b"a=%4", b"a=%4g", b"%=%%%41", b"%%41=1",
        b"a=%2",
        b"a=%41%4A%4a%7E%7e%2F%2f%25%20", b"a=+%2B%20", b"+=+", b"oauth_a=1&oauth%5fa=2", b"oauth%5Fa=1",
        b"oauth_a=%C3%28",
        b"oauth_a=1&oauth_b", b"a=\x00\xff\x80~-._", b"A=1&a=1&b=1&B=1", b"a=b&a-=1&a%21=2&a=%21&aa=1", b"a=%C3%A4&a=z",
        b"oauth_signature=1&oauth_signature=2", b"oauth_signature=1", b"oauth_signature_=1", b"a=%3D%26&b%3D%26=c",
        b"#;/?:@",
    ):  # fmt: skip
        for most in (1, 2, 3, 1_000):
            yield request(query=octets, max_parameters=most)
            yield request(form=octets, max_parameters=most)
            yield request(b'OAuth c="d", oauth_x="y"', octets, octets, max_parameters=most)
    for more in (
        {"method": "Po st"}, {"method": "\xdf"}, {"method": "geT~"}, {"scheme": "http"}, {"scheme": "HTTP"},
        {"host": "A:443"},
        {"scheme": "h\xe9"}, {"host": "[::1]:80"}, {"host": "h_~x."}, {"raw_path": b"/\xff%2f?~+"}, {"raw_path": b"x"},
        {"headers": [FORM, (b"Content-Type", b"x")]}, {"headers": [(b"content-type", b"x/urlencoded")], "body": b"a=b"},
    ):  # fmt: skip
        yield request(query=b"oauth_a=1", **more)


def unusual_for_the_lane() -> Iterator[Parts]:
    """Parameters that the lane must tell apart, each in the header and in the query."""
    values = (
        b"", b"0", b"1", b"01", b"%31", b"+1", b"1%2B", b"-1", b"1:", b"1a", b"1.0", b"1.0a", b"2.0", b"123456789012",
        b"1234567890123", b"%20", b"%7E", b"%7F", b"%1F", b"%80", b"%C3%A4", b"a%00b", b"a%2Fb", b"a%0Ab", b"%F0%9F",
        b"x" * 254, b"x" * 255, b"%3D" * 90,
    )  # fmt: skip
    for parameter in PROTOCOL.split(b", "):
        name, _, _ = parameter.partition(b"=")
        changed = [PROTOCOL.replace(parameter, b'%b="%b"' % (name, value)) for value in values]
        for header in (*changed, PROTOCOL.replace(parameter, b'a="b"'), PROTOCOL + b', oauth_body_hash="x"'):
            yield request(b"OAuth " + header)
            yield request(query=header.replace(b'"', b"").replace(b", ", b"&"))


def of_sizes() -> Iterator[Parts]:
    """Sizes around each limit of the native reader."""
    for size in (100, 2_730, 2_731, 8_190, 8_191, 8_192, 8_193, 16_384, 40_000):
        for octets in (
            b"\xff" * size,
            b"a=" + b"\xff" * (size - 2),
            b"&" * size,
            b"a&" * (size // 2),
            b"=&" * (size // 2),
        ):
            yield request(query=octets)
            yield request(form=octets)
            yield request(b'OAuth a="' + octets[: size - 10] + b'"')
        yield request(b'OAuth a="b"', b"a=" + b"x" * (size - 13))  # together one octet less, and as many
        yield request(b'OAuth a="b"', b"a=" + b"x" * (size - 14), b"y")
        yield request(b'OAuth realm="' + b"r" * (size - 19) + b'",a="b"')
    for count in (15, 16, 17, 254, 255, 256, 257, 400):
        octets = b"&".join(b"%d=%d" % (number % 7, -number) for number in range(count))
        yield from (request(query=octets, max_parameters=most) for most in (count - 1, count, count + 1))
        yield request(query=octets[: len(octets) // 2], form=octets)
        yield request(query=b"&".join(b"oauth_%d" % number for number in range(count)))
        yield request(b"OAuth " + b",".join(b'oauth_%d="\xff"' % number for number in range(count)))
        yield request(b"OAuth " + b",".join(b'a%d="\xff"' % number for number in range(count)), max_parameters=count)
    for size in (7, 8, 9, 31, 32, 33, 253, 255, 319, 320, 321, 2_047, 2_048, 2_049, 5_000):
        for more in ({"method": "*" * size}, {"scheme": "+" * size}, {"raw_path": b"/" * size}):
            yield request(query=b"\xff" * 8_192, **more)
        yield request(host=".".join(["h" * 60] * (size // 61)) + ":1" if 61 <= size < 320 else "h")


def pairs_of_octets(octets: range = range(256)) -> Iterator[Parts]:
    """All pairs of octets at the places of the grammar."""
    for first in octets:
        for second in range(256):
            pair = bytes((first, second))
            yield request(b'OAuth oauth_token="' + pair + b'"', b"x" + pair + b"1", raw_path=b"/" + pair)
            yield request(b'OAuth realm="a",' + pair + b'b="c"', pair + b"=" + pair)


def single_octets() -> Iterator[Parts]:
    """All octets, each at every place of the header's grammar."""
    header = b'OAuth realm="r", oauth_a="b", c="d"'
    for octet in range(256):
        for place in range(len(header) + 1):
            yield request(header[:place] + bytes((octet,)) + header[place:])
            yield request(header[:place] + bytes((octet,)) + header[place + 1 :])


INSERTED = (
    b"oauth_token", b"oauth_nonce=", b"realm", b'realm="x", ', b"Realm=", b"=", b"&", b'"', b'="', b'", ', b'",',
    b",", b" ",
    b"  ", b"\t", b"\\", b"%", b"%2", b"%2B", b"%2b", b"%41", b"%7E", b"%C3%A4", b"%ff", b"%ED%A0%80", b"%00", b"+",
    b"~", b"!",
    b"a", b"Z", b"0", b"\xe4", b"\x00", b"\n", b"\x85", b"OAuth ", b";", b"/", b"?", b"a=1&a=0&", b'""',
)  # fmt: skip


def mutated(octets: bytes, chance: random.Random) -> bytes:
    """Octets with some changes, or none."""
    changed = bytearray(octets)
    for _ in range(chance.choice((0, 0, 1, 1, 2, 4))):
        place, kind = chance.randrange(len(changed) + 1), chance.random()
        if kind < 0.3:
            changed[place : place + 1] = bytes([chance.randrange(256)])
        elif kind < 0.6:
            changed[place:place] = chance.choice(INSERTED)
        elif kind < 0.8:
            del changed[place : place + chance.randrange(1, 6)]
        else:
            other = chance.randrange(len(changed) + 1)
            changed[place:place] = changed[other : other + chance.randrange(40)]
    return bytes(changed)


def mutation(chance: random.Random) -> Parts:
    """A good request with some changes."""
    parts = dict(chance.choice(GOOD))
    parts["raw_path"] = b"/" + mutated(parts["raw_path"][1:], chance)
    parts["raw_query"] = mutated(parts["raw_query"], chance)
    parts["headers"] = [
        (name, mutated(value, chance) if name == b"Authorization" else value) for name, value in parts["headers"]
    ]
    if parts["body"] is not None:
        parts["body"] = mutated(parts["body"], chance)
    return parts | {"limits": SizeLimits(max_parameters=chance.choice((1_000, 30, 12, 9, 8, 7)))}


def main(seconds: float) -> None:
    """Compare the listed cases, and mutations for some seconds of this process, however busy the machine is."""
    for cases in (listed(), unusual_for_the_lane(), of_sizes(), single_octets(), pairs_of_octets(range(0, 256, 37))):
        for parts in cases:
            compare(**parts)
    chance, end = random.Random(1), time.process_time() + seconds
    with counted():
        while time.process_time() < end:
            compare(**mutation(chance))
    print(f"equal: {READ[True]} mutations read natively, {READ[False]} left to Python")


if __name__ == "__main__":
    assert native.IN_USE, native.STATE
    main(float(sys.argv[2]) if len(sys.argv) > 2 else 5.0)
