"""The command ``async-oauth1 sign``: sign a request, for a look at a header, a curl command or a base string."""

from __future__ import annotations

import shlex
from typing import Annotated, cast, get_args

import typer

from async_oauth1.errors import OAuth1Error
from async_oauth1.explain.readers import ReadError, split_url
from async_oauth1.probing.signing import FORM, Credentials, Message, Place, Signed, protocol_parameters, sign
from async_oauth1.protocol.signature import SIGNATURE_METHODS

from .console import CommandError, print_json, print_lines, printable, say
from .known_secrets import signing_keys
from .options import JsonOption
from .request_options import (
    ClientIdOption,
    NoClientSecret,
    NoTokenSecret,
    PrivateKeyOption,
    TokenOption,
)
from .saved_requests import read_octets

__all__ = ["sign_command"]

_SHOWN = ("header", "curl", "base-string", "all")


def sign_command(
    method: Annotated[str, typer.Argument(metavar="METHOD", help="HTTP method, such as GET.")],
    url: Annotated[str, typer.Argument(metavar="URL", help="Absolute URL, with its query.")],
    client_id: ClientIdOption,
    token: TokenOption = None,
    signature_method: Annotated[
        str, typer.Option("--signature-method", metavar="METHOD", help=", ".join(SIGNATURE_METHODS))
    ] = "HMAC-SHA1",
    place: Annotated[
        str, typer.Option("--place", metavar="header|query|form", help="Where the protocol parameters stand.")
    ] = "header",
    data: Annotated[
        str | None, typer.Option("--data", metavar="TEXT", help="Body; a form, unless --content-type says otherwise.")
    ] = None,
    data_file: Annotated[
        str | None, typer.Option("--data-file", metavar="FILE", help="File with the body; - for standard input.")
    ] = None,
    content_type: Annotated[str | None, typer.Option("--content-type", metavar="TYPE", help="Of the body.")] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter",
            metavar="NAME=VALUE",
            help="A further protocol parameter, such as oauth_callback; repeatable.",
        ),
    ] = None,
    realm: Annotated[str | None, typer.Option("--realm", help="For the Authorization header.")] = None,
    nonce: Annotated[str | None, typer.Option("--nonce", help="By default a random one.")] = None,
    timestamp: Annotated[int | None, typer.Option("--timestamp", help="By default the current time.")] = None,
    rsa_private_key: PrivateKeyOption = None,
    show: Annotated[
        str, typer.Option("--show", metavar="header|curl|base-string|all", help="What is printed.")
    ] = "all",
    _client_secret: NoClientSecret = None,
    _token_secret: NoTokenSecret = None,
    *,
    body_hash: Annotated[bool, typer.Option("--body-hash", help="Add oauth_body_hash.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Sign a request, and print the header, a curl command and the base string."""
    if show not in _SHOWN:
        raise CommandError(f"--show {printable(show)}: write header, curl, base-string or all")
    if place not in get_args(Place):
        raise CommandError(f"--place {printable(place)}: write header, query or form")
    _check_method(signature_method, has_key=rsa_private_key is not None)
    message = _message(method, url, _body(data, data_file), content_type)
    keys = signing_keys(rsa_private_key, has_token=token is not None)
    credentials = Credentials(client_id=client_id, keys=keys, token=token)
    parameters = protocol_parameters(credentials, signature_method, timestamp=timestamp, nonce=nonce)
    parameters.update(_further(parameters, parameter or []))
    _check_place(message, cast("Place", place), body_hash=body_hash)
    try:
        signed = sign(message, parameters, keys, place=cast("Place", place), realm=realm, body_hash=body_hash)
    except OAuth1Error as error:
        raise CommandError(f"this request cannot be signed: {error.description or error.error}") from None
    if signature_method == "PLAINTEXT":
        say("PLAINTEXT sends the secrets themselves: what is printed contains them.")
    _print(signed, show, as_json=as_json)


def _check_method(name: str, *, has_key: bool) -> None:
    method = SIGNATURE_METHODS.get(name)
    if method is None:
        raise CommandError(f"--signature-method {printable(name)}: write one of {', '.join(SIGNATURE_METHODS)}")
    if method.key_kind == "RSA key" and not has_key:
        raise CommandError(f"--signature-method {name} needs --rsa-private-key FILE")


def _body(data: str | None, data_file: str | None) -> bytes | None:
    if data is not None and data_file is not None:
        raise CommandError("--data and --data-file: give one of them")
    if data_file is not None:
        return read_octets(data_file)
    return None if data is None else data.encode("utf-8", "surrogateescape")


def _message(method: str, url: str, body: bytes | None, content_type: str | None) -> Message:
    if not method.isascii() or not method.isalpha():
        raise CommandError(f"{printable(method)!r} is no HTTP method; write METHOD URL")
    if "@" in url.partition("://")[2].partition("/")[0]:
        raise CommandError("the URL has a user or a password in it, which is not signed; leave it out")
    try:
        scheme, host, path, query, _ = split_url(url)
    except ReadError as error:
        raise CommandError(str(error).rstrip(".")) from None
    headers: tuple[tuple[bytes, bytes], ...] = ()
    if content_type is not None or body is not None:
        if content_type is not None and not (content_type.isascii() and content_type.isprintable()):
            raise CommandError("--content-type: a media type is printable ASCII")
        headers = ((b"Content-Type", FORM if content_type is None else content_type.encode()),)
    return Message(
        method=method, scheme=scheme, host=host, path=path, query=query, headers=headers, body=body or b""
    )  # fmt: skip


def _further(parameters: dict[str, str], given: list[str]) -> dict[str, str]:
    further: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.startswith("oauth_"):
            raise CommandError(
                f"--parameter {printable(name)}: write oauth_NAME=VALUE; others belong in the URL or body"
            )
        if name == "oauth_signature" or (name in parameters and name != "oauth_version") or name in further:
            raise CommandError(f"--parameter {printable(name)}: it is there already")
        further[name] = value
    return further


def _check_place(message: Message, place: Place, *, body_hash: bool) -> None:
    if place == "form" and message.body and not message.has_form:
        raise CommandError("--place form: the body is no form")
    if body_hash and (message.has_form or place == "form"):
        raise CommandError("--body-hash: a form is signed field by field, and has no hash")


def _print(signed: Signed, show: str, *, as_json: bool) -> None:
    message = signed.message
    fields = [(name.decode(), value.decode("latin-1")) for name, value in message.headers]
    authorization = next((value for name, value in fields if name == "Authorization"), None)
    curl = _curl(message, fields)
    if as_json:
        body = message.body.decode("utf-8", "replace")
        print_json(
            {"method": message.method, "url": message.url, "headers": dict(fields), "body": body,
             "authorization": authorization, "curl": curl, "base_string": signed.base_string}
        )  # fmt: skip
        return
    header = f"Authorization: {authorization}" if authorization else _elsewhere(message)
    texts = {"header": header, "curl": curl, "base-string": signed.base_string}
    print_lines([printable(text) for text in texts.values()] if show == "all" else [printable(texts[show])])


def _elsewhere(message: Message) -> str:
    """The URL or the form with the signature, which takes the place of a header."""
    return message.body.decode("latin-1") if b"oauth_signature=" in message.body else message.url


def _curl(message: Message, fields: list[tuple[str, str]]) -> str:
    """The command for a POSIX shell that sends exactly this."""
    words = ["curl", "--path-as-is", "--globoff", "--request", message.method]
    for name, value in fields:
        words += ["--header", f"{name}: {value}"]
    text = message.body.decode("utf-8", "surrogateescape")
    quoted = [shlex.quote(word) for word in words]
    if message.body:
        quoted += ["--data-raw", shlex.quote(text) if text.isprintable() else _ansi(message.body)]
    return " ".join([*quoted, shlex.quote(message.url)])


def _ansi(octets: bytes) -> str:
    """Octets in the notation $'...' of bash."""
    return "$'" + "".join(chr(o) if 32 <= o < 127 and o not in b"'\\" else f"\\x{o:02x}" for o in octets) + "'"
