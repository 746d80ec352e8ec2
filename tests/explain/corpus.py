"""Requests in many shapes, and mistakes by the code of their cause."""

# ruff: noqa: E501 - a table

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from urllib.parse import quote, unquote, unquote_to_bytes

from async_oauth1.explain import WireRequest

from .signer import Pairs, Request, encode, octets, sha1

JSON = b'{"title":"caf\xc3\xa9","tags":["a","b"],"place":{"city":"Bern"},"public":true}'
QUERY: Pairs = [
    ("file", "vacation.jpg"),
    ("q", "x y+z"),
    ("tag", "b"),
    ("tag", "a"),
    ("empty", ""),
    ("p~t", octets("é!'(/")),
    ("A", "true"),
]
FORM: Pairs = [
    ("status", octets("Grüezi & ade, 100%")),
    ("note", "one\r\ntwo "),
    ("a[b]", "1"),
    ("a", "2"),
    ("Z", "false"),
    ("e", ""),
]

MULTIPART = b'--b\r\nContent-Disposition: form-data; name="title"\r\n\r\nx y\r\n--b--\r\n'

#: Shapes that requests have.
SHAPES: dict[str, Request] = {
    "header": Request(query=QUERY),
    "header, no query": Request(path="/api/photos/1"),
    "query": Request(query=QUERY, place="query"),
    "form": Request(method="POST", form=FORM, place="form"),
    "form and query": Request(method="POST", form=FORM, query=QUERY),
    "two-legged": Request(query=QUERY, token=False),
    "first step": Request(
        method="POST", path="/initiate", token=False, protocol={"oauth_callback": "http://printer.example.com/ready?a=b"}
    ),
    "exchange": Request(method="POST", path="/token", protocol={"oauth_verifier": "hfdp7dh39dks9884"}),
    "json": Request(
        method="PUT", body=JSON, content_type="application/json", protocol={"oauth_body_hash": sha1(JSON)}
    ),
    "launch": Request(
        method="POST",
        path="/lti/launch",
        place="form",
        token=False,
        realm=None,
        form=[("lti_message_type", "basic-lti-launch-request"), ("lti_version", "LTI-1p0"), ("resource_link_id", "88391-e1919"),
              ("roles", "Instructor,Learner"), ("context_title", octets("Café 101")), ("custom_a", "x y"), ("ext_submit", "Go")],
        query=[("course", "7")],
        protocol={"oauth_callback": "about:blank"},
    ),
    "ipv6 and port": Request(scheme="https", host="[2001:db8::1]:8443", query=QUERY),
    "sha256": Request(query=QUERY, algorithm="HMAC-SHA256"),
    "port": Request(host="photos.example.net:8080", query=QUERY),
    "loopback": Request(host="localhost:5000", query=[("id", "42")]),
    "rewrite": Request(scheme="https", path="/wc-api/v3/orders", token=False, query=[("filter[limit]", "10"), ("filter[created_at_min]", "2026-01-01 00:00"), ("page", "2")]),
    "multipart": Request(method="POST", body=MULTIPART, content_type="multipart/form-data; boundary=b"),
    "international": Request(host="xn--bcher-kva.example", path="/b%C3%BCcher/caf%C3%A9%20(1)", query=[("q2", octets("Müller"))]),
}  # fmt: skip

Mistake = Callable[[Request], Request | None]


def uri(rewrite: Callable[[str], str]) -> Mistake:
    """Another base string URI, if it differs."""

    def mistake(request: Request) -> Request | None:
        original = f"{request.scheme}://{request.host}{request.path}"
        return request.but(signed_uri=rewrite) if rewrite(original) != original else None

    return mistake


def pairs(rewrite: Callable[[Pairs], Pairs]) -> Mistake:
    """Other parameters."""
    return lambda request: request.but(signed_pairs=rewrite)


def arriving(rewrite: Callable[[WireRequest], WireRequest]) -> Mistake:
    """Something on the way changes the request."""
    return lambda request: request.but(arrives=rewrite)


def only(condition: Callable[[Request], bool], mistake: Mistake) -> Mistake:
    """A mistake that only some shapes can have."""
    return lambda request: mistake(request) if condition(request) else None


def header(wire: WireRequest, name: str, value: str) -> WireRequest:
    """The request with one header field more."""
    return replace(wire, headers=(*wire.headers, (name.encode(), value.encode())))


def has_query(request: Request) -> bool:
    """Whether there is a query."""
    return bool(request.query)


def has_form(request: Request) -> bool:
    """Whether there is a form with fields of its own."""
    return bool(request.form)


def not_protocol(name: str) -> bool:
    """Whether a name is the application's."""
    return not name.startswith("oauth_")


def _double_values(name: str) -> Mistake:
    return lambda request: request.but(
        signed_pairs=lambda given: [(n, encode(v) if n == name else v) for n, v in given]
    )


def _js(text: str) -> str:
    return quote(text.encode("latin-1"), safe="-._~!*'()")


def _lower(text: str) -> str:
    return re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), encode(text))


def _key(make: Callable[[str, str], str]) -> Mistake:
    return lambda request: request.but(key=make)


def _at(wire: WireRequest, host: str) -> WireRequest:
    """Behind a proxy that passes another Host on."""
    headers = tuple((name, host.encode()) if name == b"Host" else (name, value) for name, value in wire.headers)
    return replace(wire, host=host, headers=headers)


def _without(unwanted: Pairs) -> Callable[[Pairs], Pairs]:
    return lambda given: [pair for pair in given if pair not in unwanted]


def _safe(characters: str) -> Callable[[str], str]:
    return lambda text: quote(text.encode("latin-1"), safe=f"-._~{characters}")


def _is_json(request: Request) -> bool:
    return request.body == JSON


def _needs_token(mistake: Mistake) -> Mistake:
    return only(lambda request: request.token, mistake)


#: Each mistake with the code of its cause.
MISTAKES: list[tuple[str, Mistake]] = [
    ("scheme", arriving(lambda wire: replace(wire, scheme="http" if wire.scheme == "https" else "https"))),
    ("scheme", arriving(lambda wire: header(replace(wire, scheme={"http": "https", "https": "http"}[wire.scheme]), "X-Forwarded-Proto", wire.scheme))),
    ("host", arriving(lambda wire: header(replace(wire, host="app:8000"), "X-Forwarded-Host", wire.host))),
    ("host", uri(lambda text: text.replace("://photos", "://www.photos"))),
    ("host", uri(lambda text: text.replace("photos.example.net", "PHOTOS.EXAMPLE.NET"))),
    ("host", arriving(lambda wire: replace(wire, host="backend.internal"))),
    ("port", only(lambda request: request.host.endswith(":8080"), uri(lambda text: text.replace(":8080", "")))),
    ("path_prefix", only(lambda request: request.path.startswith("/api/"), arriving(lambda wire: header(replace(wire, path=wire.path.removeprefix(b"/api")), "X-Forwarded-Prefix", "/api")))),
    ("path_prefix", uri(lambda text: text.replace("/api/", "/"))),
    ("path_trailing_slash", uri(lambda text: f"{text}/")),
    ("path_trailing_slash", lambda request: request.but(path=f"{request.path}/", signed_uri=lambda text: text.removesuffix("/"))),
    ("path_escapes", lambda request: request.but(path=f"{request.path}/a%20b", signed_uri=lambda text: unquote(text, "latin-1"))),
    ("path_escapes", lambda request: request.but(path=f"{request.path}/a%2fb", signed_uri=lambda text: text.replace("%2f", "%2F"))),
    ("path_escapes", lambda request: request.but(path=f"{request.path}//x", arrives=lambda wire: replace(wire, path=wire.path.replace(b"//", b"/")))),
    ("path_escapes", lambda request: request.but(path=f"{request.path}/a%2Fb", arrives=lambda wire: replace(wire, path=wire.path.replace(b"%2F", b"/")))),
    ("path_escapes", lambda request: request.but(path=f"{request.path}/~me", signed_uri=lambda text: text.replace("~", "%7E"))),
    ("url_query", only(has_query, lambda request: request.but(signed_uri=lambda text: f"{text}?{request.sent().query.decode()}") if request.place != "query" else None)),
    ("query_missing", only(has_query, pairs(lambda given: [pair for pair in given if pair not in QUERY and pair[0] != "course"]))),
    ("query_missing", only(lambda request: request.query == QUERY, pairs(lambda given: [pair for pair in given if pair[0] != "file"]))),
    ("query_missing", only(lambda request: request.query == QUERY, pairs(lambda given: [pair for pair in given if pair[0] != "empty"]))),
    ("parameter_added", arriving(lambda wire: replace(wire, query=b"&".join(filter(None, (wire.query, b"fbclid=IwAR")))))),
    ("parameter_added", arriving(lambda wire: replace(wire, query=b"&".join((b"route=%2Fphotos", wire.query)).strip(b"&")))),
    ("form_missing", only(lambda request: request.form == FORM, pairs(lambda given: [pair for pair in given if pair not in FORM]))),
    ("form_missing", only(lambda request: request.form == FORM, pairs(lambda given: [pair for pair in given if pair[0] != "status"]))),
    ("body_included", only(_is_json, pairs(lambda given: [*given, ("title", octets("café")), ("tags", '["a","b"]'), ("place", '{"city":"Bern"}'), ("public", "true")]))),
    ("body_included", only(_is_json, pairs(lambda given: [*given, (JSON.decode("latin-1"), "")]))),
    ("body_included", only(_is_json, pairs(lambda given: [*given, ("title", octets("café")), ("tags[0]", "a"), ("tags[1]", "b"), ("place[city]", "Bern"), ("public", "true")]))),
    ("repeated", only(lambda request: request.query == QUERY, pairs(lambda given: [pair for pair in given if pair != ("tag", "b")]))),
    ("repeated", only(lambda request: request.query == QUERY, pairs(lambda given: [pair for pair in given if pair != ("tag", "a")]))),
    ("repeated", only(has_query, lambda request: request.but(signed_pairs=lambda given: [*given, *request.query]))),
    ("sorting", lambda request: request.but(order=list)),
    ("sorting", only(lambda request: request.form == FORM, lambda request: request.but(order=lambda given: sorted(given, key="=".join)))),
    ("sorting", only(lambda request: request.query == QUERY, lambda request: request.but(order=lambda given: sorted(given, key=lambda pair: pair[0])))),
    ("sorting", only(lambda request: request.form == FORM or request.query == QUERY, lambda request: request.but(order=lambda given: sorted(given, key=lambda pair: (pair[0].lower(), pair[1].lower()))))),
    ("space_plus", only(lambda request: request.query == QUERY or has_form(request), lambda request: request.but(encode_value=lambda text: quote(text.encode("latin-1"), safe="-._~ ").replace(" ", "+")))),
    ("space_plus", only(lambda request: request.query == QUERY, pairs(lambda given: [(name, value.replace("+", " ")) for name, value in given]))),
    ("not_encoded", only(lambda request: request.query == QUERY, lambda request: request.but(encode_value=_js, encode_name=_js))),
    ("not_encoded", only(lambda request: bool({"oauth_callback", "oauth_body_hash"} & set(request.protocol)), lambda request: request.but(encode_value=lambda text: text if text in request.protocol.values() else encode(text)))),
    ("not_encoded", lambda request: request.but(encode_name=lambda text: text, encode_value=lambda text: text) if request.query == QUERY or has_form(request) else None),
    ("not_encoded", lambda request: request.but(encode_whole=lambda text: text)),
    ("not_encoded", only(lambda request: request.query == QUERY, lambda request: request.but(encode_name=lambda text: encode(text).replace("~", "%7E"), encode_value=lambda text: encode(text).replace("~", "%7E")))),
    ("double_encoded", only(lambda request: request.query == QUERY or has_form(request), lambda request: request.but(encode_value=lambda text: encode(encode(text)), encode_name=lambda text: encode(encode(text))))),
    ("double_encoded", only(lambda request: "oauth_callback" in request.protocol and request.protocol["oauth_callback"] != "oob", _double_values("oauth_callback"))),
    ("double_encoded", only(has_query, lambda request: request.but(encode_whole=lambda text: encode(encode(text))))),
    ("escape_case", lambda request: request.but(encode_value=_lower, encode_name=_lower, encode_whole=_lower, encode_uri=_lower)),
    ("escape_case", only(lambda request: request.query == QUERY or has_form(request), lambda request: request.but(encode_value=_lower, encode_name=_lower))),
    ("charset", only(lambda request: request.query == QUERY or has_form(request), pairs(lambda given: [(_charset(name), _charset(value)) for name, value in given]))),
    ("realm_included", only(lambda request: request.realm is not None and request.place == "header", pairs(lambda given: [*given, ("realm", "Photos")]))),
    ("empty_token", only(lambda request: not request.token, pairs(lambda given: [*given, ("oauth_token", "")]))),
    ("empty_token", only(lambda request: not request.token, lambda request: request.but(protocol={**request.protocol, "oauth_token": ""}, signed_pairs=lambda given: [pair for pair in given if pair[0] != "oauth_token"]))),
    ("oauth_parameter", pairs(lambda given: [pair for pair in given if pair[0] != "oauth_version"])),
    ("oauth_parameter", only(lambda request: "oauth_callback" not in request.protocol, pairs(lambda given: [*given, ("oauth_callback", "oob")]))),
    ("oauth_parameter", only(lambda request: "oauth_body_hash" in request.protocol, pairs(lambda given: [pair for pair in given if pair[0] != "oauth_body_hash"]))),
    ("http_method", lambda request: request.but(signed_method=lambda method: "POST" if method == "GET" else "GET")),
    ("http_method", lambda request: request.but(signed_method=str.lower)),
    ("secrets_swapped", _needs_token(_key(lambda client, token: f"{encode(token)}&{encode(client)}"))),
    ("secrets_swapped", _key(lambda client, token: f"dpf43f3p2l4k3l03&{encode(token)}")),
    ("secret_encoding", _key(lambda client, token: f"{client}&{token}")),
    ("secret_encoding", _key(lambda client, token: f"{encode(encode(client))}&{encode(encode(token))}")),
    ("secret_whitespace", _key(lambda client, token: f"{encode(client)}%0A&{encode(token)}")),
    ("secret_whitespace", _needs_token(_key(lambda client, token: f"{encode(client)}&{encode(token)}%20"))),
    ("token_secret_missing", _needs_token(_key(lambda client, token: f"{encode(client)}&"))),
    ("ampersand_missing", _key(lambda client, token: f"{encode(client)}{encode(token)}")),
    ("value_changed", only(lambda request: request.form == FORM, pairs(lambda given: [(name, value.replace("\r\n", "\n")) for name, value in given]))),
    ("value_changed", only(lambda request: request.query == QUERY, pairs(lambda given: [(name, "True" if value == "true" else value) for name, value in given]))),
    ("signature_method", lambda request: request.but(signs_by="HMAC-SHA512")),
    ("signature_method", lambda request: request.but(signs_by="PLAINTEXT")),
    ("signature_encoding", lambda request: request.but(write_signature=bytes.hex)),
    ("signature_encoding", lambda request: request.but(write_signature=lambda digest: encode(base64.b64encode(digest).decode()))),
    ("signature_encoding", lambda request: request.but(write_signature=lambda digest: base64.b64encode(digest).decode().rstrip("="))),
    ("signature_encoding", lambda request: request.but(write_signature=lambda digest: base64.b64encode(digest.hex().encode()).decode())),
]  # fmt: skip


MISTAKES += [
    ("host", arriving(lambda wire: header(_at(wire, "app:8000"), "Forwarded", f'for=192.0.2.1;host="{wire.host}"'))),
    ("host", arriving(lambda wire: header(_at(wire, "app:8000"), "Origin", f"{wire.scheme}://{wire.host}"))),
    ("host", lambda request: request.but(arrives=lambda wire: _at(wire, "upstream"), allowed_hosts=(request.host,)) if ":" not in request.host else None),
    ("host", uri(lambda text: text.replace(".net/", ".net./"))),
    ("host", uri(lambda text: text.replace("localhost", "127.0.0.1"))),
    ("host", uri(lambda text: text.replace("xn--bcher-kva", octets("bücher")))),
    ("port", only(lambda request: request.host.endswith(":8080"), arriving(lambda wire: header(_at(wire, "photos.example.net"), "X-Forwarded-Port", "8080")))),
    ("port", only(lambda request: request.host.endswith(".net") and request.scheme == "http", uri(lambda text: text.replace(".net/", ".net:80/")))),
    ("path_prefix", lambda request: request.but(arrives=lambda wire: replace(wire, path=b"/tool" + wire.path, base_path="/tool"))),
    ("path_prefix", only(lambda request: not request.path.startswith("/api"), uri(lambda text: text.replace("/lti/", "/api/lti/").replace("/token", "/api/token").replace("/initiate", "/api/initiate")))),
    ("path_prefix", arriving(lambda wire: replace(header(wire, "X-Original-URI", wire.path.decode()), path=b"/index.php"))),
    ("path_escapes", lambda request: request.but(path=f"{request.path}/a%20b", signed_uri=lambda text: text.replace("%", "%25"))),
    ("path_escapes", lambda request: request.but(path=f"{request.path}/%C3%A9t%C3%A9", arrives=lambda wire: replace(wire, path=unquote_to_bytes(wire.path)))),
    ("path_escapes", lambda request: request.but(path=f"{request.path}/a(b)", arrives=lambda wire: replace(wire, path=wire.path.replace(b"(", b"%28").replace(b")", b"%29")))),
    ("path_escapes", lambda request: request.but(path=f"{request.path}/%7Eme", signed_uri=lambda text: text.replace("%7E", "~"))),
    ("path_escapes", lambda request: request.but(path=f"{request.path}/a+b", signed_uri=lambda text: text.replace("+", "%2B"))),
    ("url_query", only(has_query, lambda request: request.but(signed_uri=lambda text: f"{text}?{request.sent().query.decode()}", signed_pairs=_without(request.query)) if request.place != "query" else None)),
    ("url_query", lambda request: request.but(signed_uri=lambda text: f"{text}#top", arrives=lambda wire: replace(wire, fragment="top"))),
    *(("query_missing", only(lambda request, name=name: name in dict(request.query), pairs(lambda given, name=name: [pair for pair in given if pair[0] != name]))) for name in ("tag", "A", "p~t", "filter[limit]")),
    ("query_missing", only(lambda request: request.query == QUERY, pairs(lambda given: [pair for pair in given if pair not in QUERY or pair[0] == "file"]))),
    ("parameter_added", arriving(lambda wire: replace(wire, query=b"&".join((wire.query, b"_=1700000000000")).strip(b"&")))),
    ("parameter_added", arriving(lambda wire: replace(wire, query=b"&".join((b"q=" + wire.path, wire.query)).strip(b"&")))),
    ("parameter_added", only(lambda request: "ext_submit" in dict(request.form or []), pairs(lambda given: [pair for pair in given if pair[0] != "ext_submit"]))),
    ("form_missing", only(lambda request: request.form == FORM, pairs(lambda given: [pair for pair in given if pair[0] != "a[b]"]))),
    ("form_missing", only(lambda request: request.form == FORM, pairs(lambda given: [pair for pair in given if pair[0] != "e"]))),
    ("form_missing", only(has_form, lambda request: request.but(signed_pairs=_without(request.form or [])))),
    ("body_included", only(_is_json, pairs(lambda given: [*given, ("title", octets("café")), ("tags", "a,b"), ("place", "[object Object]"), ("public", "true")]))),
    ("body_included", only(_is_json, pairs(lambda given: [*given, ("title", octets("café")), ("tags", "a"), ("tags", "b"), ("place", '{"city":"Bern"}'), ("public", "true")]))),
    ("body_included", only(lambda request: request.body == MULTIPART, pairs(lambda given: [*given, ("title", "x y")]))),
    ("repeated", only(lambda request: request.query == QUERY, pairs(lambda given: [*(pair for pair in given if pair[0] != "tag"), ("tag", "b,a")]))),
    ("repeated", only(lambda request: request.query == QUERY, pairs(lambda given: [*given, ("file", "vacation.jpg")]))),
    ("repeated", only(lambda request: request.form == FORM, lambda request: request.but(query=[*request.query, *FORM], signed_pairs=lambda given: given[:-len(FORM)]))),
    ("sorting", only(lambda request: request.form == FORM, lambda request: request.but(order=lambda given: sorted(given, key=lambda pair: unquote(pair[0]))))),
    ("sorting", lambda request: request.but(order=lambda given: sorted(given, key=lambda pair: unquote(pair[0]).partition("[")[0])) if "filter[limit]" in dict(request.query) else None),
    ("space_plus", only(lambda request: request.query == QUERY or request.form == FORM, pairs(lambda given: [(name, value.replace(" ", "+")) for name, value in given]))),
    ("not_encoded", only(lambda request: request.query == QUERY, lambda request: request.but(encode_value=_safe("/"), encode_name=_safe("/")))),
    ("not_encoded", lambda request: request.but(encode_whole=_js) if request.query == QUERY else None),
    ("not_encoded", only(lambda request: "filter[limit]" in dict(request.query) or request.form == FORM, lambda request: request.but(encode_name=_safe("[]")))),
    ("not_encoded", only(lambda request: any(set(value) - set("-._~ ") and not value.isalnum() and not value.replace(".", "").isalnum() for _, value in [*request.query, *(request.form or [])]), lambda request: request.but(encode_value=lambda text: text))),
    ("not_encoded", only(has_form, lambda request: request.but(encode_value=_safe(",:@$"), encode_name=_safe(",:@$")))),
    ("not_encoded", lambda request: request.but(encode_uri=lambda text: text, encode_whole=lambda text: text)),
    ("double_encoded", only(has_query, lambda request: request.but(encode_value=lambda text: encode(encode(text))))),
    ("double_encoded", only(lambda request: "filter[limit]" in dict(request.query) or request.form == FORM, lambda request: request.but(encode_name=lambda text: encode(encode(text))))),
    ("double_encoded", only(has_query, lambda request: request.but(signed_pairs=lambda given: [(encode(n), encode(v)) if (n, v) in request.query else (n, v) for n, v in given]))),
    ("escape_case", lambda request: request.but(encode_uri=_lower, encode_whole=_lower)),
    ("charset", only(lambda request: request.form == FORM, lambda request: request.but(arrives=lambda wire: replace(wire, body=wire.body.replace(b"Gr%C3%BCezi", b"Gr%FCezi"))))),
    ("oauth_parameter", only(lambda request: "oauth_verifier" in request.protocol, pairs(lambda given: [pair for pair in given if pair[0] != "oauth_verifier"]))),
    ("oauth_parameter", lambda request: request.but(protocol={**request.protocol, "oauth_version": None}, signed_pairs=lambda given: [*given, ("oauth_version", "1.0")])),
    ("oauth_parameter", only(lambda request: "oauth_callback" not in request.protocol, pairs(lambda given: [*given, ("oauth_callback", "")]))),
    ("oauth_parameter", only(lambda request: "oauth_verifier" not in request.protocol, pairs(lambda given: [*given, ("oauth_verifier", "")]))),
    ("oauth_parameter", only(lambda request: "oauth_callback" in request.protocol, pairs(lambda given: [pair for pair in given if pair[0] != "oauth_callback"]))),
    ("http_method", lambda request: request.but(signed_method=lambda method: "PUT" if method == "POST" else "POST")),
    ("secrets_swapped", _needs_token(_key(lambda client, token: f"{encode(client)}&nnch734d00sl2jdk"))),
    ("secret_whitespace", _key(lambda client, token: f"{encode(client)}%20&{encode(token)}")),
    ("secret_whitespace", _key(lambda client, token: f"{encode(client)}%0D%0A&{encode(token)}")),
    ("secret_whitespace", _needs_token(_key(lambda client, token: f"{encode(client)}&{encode(token)}%0A"))),
    ("token_secret_missing", _needs_token(lambda request: request.but(temporary_secret="temporary", key=lambda client, token: f"{encode(client)}&temporary"))),
    ("former_secret", lambda request: request.but(former="former", key=lambda client, token: f"former&{encode(token)}")),
    ("value_changed", only(lambda request: request.form == FORM, pairs(lambda given: [(name, value.strip()) for name, value in given]))),
    ("value_changed", only(lambda request: request.query == QUERY, pairs(lambda given: [(name, "1" if value == "true" else value) for name, value in given]))),
    ("value_changed", only(lambda request: request.query == QUERY, pairs(lambda given: [(name, value or "null") for name, value in given]))),
    ("value_changed", only(lambda request: request.form == FORM, pairs(lambda given: [(name, "" if value == "false" else value) for name, value in given]))),
    ("signature_encoding", lambda request: request.but(write_signature=lambda digest: base64.urlsafe_b64encode(digest).decode())),
    ("signature_encoding", only(lambda request: request.place == "header", lambda request: request.but(write_signature=lambda digest: base64.b64encode(digest).decode().replace("+", " ")))),
]  # fmt: skip


def _charset(text: str) -> str:
    """UTF-8 octets as Latin-1's, as a client signs them that knows no UTF-8."""
    if text.isascii():
        return text
    return text.encode("latin-1").decode().encode("latin-1").decode("latin-1")


@cache
def corpus() -> tuple[tuple[str, str, Request], ...]:
    """Every shape with every mistake that it can have: name, code, request. Made once, when a test asks for it."""
    return tuple(_broken_requests())


def _broken_requests() -> Iterator[tuple[str, str, Request]]:
    for shape, request in SHAPES.items():
        for number, (code, mistake) in enumerate(MISTAKES):
            broken = mistake(request)
            if broken is not None and is_broken(request, broken):
                yield f"{shape}: {code} {number}", code, broken


def is_broken(request: Request, broken: Request) -> bool:
    """Whether the mistake changes what is signed or what arrives."""
    right = broken.but(**{name: getattr(Request(), name) for name in _SIGNING})
    return right.sent() != broken.sent() or broken.arrives is not request.arrives


_SIGNING = (
    "signed_method", "signed_uri", "signed_pairs", "encode_name", "encode_value", "encode_whole", "encode_uri", "order",
    "key", "signs_by", "write_signature", "arrives",
)  # fmt: skip
