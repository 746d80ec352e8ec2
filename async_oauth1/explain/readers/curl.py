"""A curl command, as browsers' "copy as cURL" writes it for bash and for cmd."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote_plus

from .parts import ReadError, RequestParts, split_url

__all__ = ["read_curl"]

#: No shell takes a longer command.
MAX_OCTETS = 2 * 1024 * 1024
# Options with an argument, by what they do; "" for those that do not change the request.
_WITH_ARGUMENT = {
    "-X": "request", "--request": "request", "-H": "header", "--header": "header", "--url": "url",
    "-d": "data", "--data": "data", "--data-ascii": "data", "--data-raw": "raw", "--data-binary": "binary",
    "--data-urlencode": "urlencode", "--json": "json", "-F": "form", "--form": "form", "--form-string": "form",
    "-A": "agent", "--user-agent": "agent", "-e": "referer", "--referer": "referer", "-b": "cookie",
    "--cookie": "cookie", "--url-query": "query", "--request-target": "target",
    **dict.fromkeys((
        "-o", "--output", "-u", "--user", "-x", "--proxy", "-m", "--max-time", "--connect-timeout", "-c",
        "--cookie-jar", "--cacert", "--cert", "-E", "--key", "-w", "--write-out", "--resolve", "--connect-to", "-T",
        "--upload-file", "--retry", "--ciphers", "--interface", "-D", "--dump-header", "--max-redirs", "--limit-rate",
        "-r", "--range", "-C", "-K", "--config", "-y", "-Y", "-z", "--proxy-user", "-U", "--tls-max", "--stderr",
        "--trace", "--trace-ascii", "--unix-socket", "--dns-servers", "--noproxy", "--retry-delay", "--retry-max-time",
    ), ""),
}  # fmt: skip


@dataclass
class _Command:
    urls: list[str] = field(default_factory=list[str])
    method: str | None = None
    headers: list[tuple[bytes, bytes]] = field(default_factory=list[tuple[bytes, bytes]])
    data: list[str] = field(default_factory=list[str])
    multipart: list[str] = field(default_factory=list[str])
    queries: list[str] = field(default_factory=list[str])
    json: bool = False
    get: bool = False
    head: bool = False
    target: str | None = None


def read_curl(octets: bytes) -> RequestParts:
    """Read a curl command.

    Raises:
        ReadError: it is not one, or it reads files that are not here.
    """
    if len(octets) > MAX_OCTETS:
        raise ReadError(
            f"The curl command has more than {MAX_OCTETS // 1024**2} MiB; save the request as HTTP instead."
        )
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ReadError("The curl command is not UTF-8.") from None
    command = _parse(_words(text.strip().removeprefix("$ ")))
    if not command.urls:
        raise ReadError("The curl command has no URL.")
    url = command.urls[0]
    scheme, host, path, query, fragment = split_url(url if "://" in url else f"http://{url}")
    body = "&".join(command.data) if not command.json else "".join(command.data)
    if command.get:
        query, body = b"&".join(filter(None, (query, body.encode()))), ""
    query = b"&".join(filter(None, (query, *(piece.encode() for piece in command.queries))))
    if command.target is not None:
        path_text, _, query_text = command.target.partition("?")
        path, query = path_text.encode(), query_text.encode()
    return RequestParts(
        method=_method(command),
        scheme=scheme,
        host=_host(command, host),
        path=path,
        query=query,
        headers=tuple(_headers(command)),
        body=_multipart(command) or body.encode("utf-8", "surrogateescape"),
        fragment=fragment,
    )


def _host(command: _Command, host: str) -> str:
    return next((value.decode() for name, value in command.headers if name.lower() == b"host"), host)


def _method(command: _Command) -> str:
    if command.method:
        return command.method
    if command.head:
        return "HEAD"
    return "POST" if (command.data or command.multipart) and not command.get else "GET"


def _headers(command: _Command) -> list[tuple[bytes, bytes]]:
    headers = [(name, value) for name, value in command.headers if value]
    names = {name.lower() for name, _ in command.headers}
    if b"content-type" not in names:
        if command.json:
            headers.append((b"Content-Type", b"application/json"))
        elif command.multipart:
            headers.append((b"Content-Type", b"multipart/form-data; boundary=explained"))
        elif command.data and not command.get:
            headers.append((b"Content-Type", b"application/x-www-form-urlencoded"))
    return headers


def _multipart(command: _Command) -> bytes:
    if not command.multipart:
        return b""
    lines: list[str] = []
    for part in command.multipart:
        name, _, value = part.partition("=")
        if value.startswith(("@", "<")):
            raise ReadError(f"The curl command reads a file for the part {name!r}; save the request as HTTP instead.")
        lines += ["--explained", f'Content-Disposition: form-data; name="{name}"', "", value]
    return "\r\n".join([*lines, "--explained--", ""]).encode()


def _parse(words: list[str]) -> _Command:
    if not words or words[0].lower().removesuffix(".exe").rpartition("/")[2] != "curl":
        raise ReadError("The command does not begin with curl.")
    command, rest = _Command(), iter(words[1:])
    for word in rest:
        if not word.startswith("-") or word == "-":
            command.urls.append(word)
            continue
        name, argument = word, None
        if word.startswith("--") and "=" in word and word not in _WITH_ARGUMENT:
            name, _, argument = word.partition("=")
        elif not word.startswith("--") and len(word) > 2:
            name, argument = _short(word, command)
        if name in _WITH_ARGUMENT:
            if argument is None:
                argument = next(rest, None)
            if argument is None:
                raise ReadError(f"The curl command ends after {name}, which needs a value.")
            _apply(command, _WITH_ARGUMENT[name], argument)
        else:
            _flag(command, name)
    return command


def _short(word: str, command: _Command) -> tuple[str, str | None]:
    """Short options in one word: flags, and at last one with its value behind it."""
    for index, letter in enumerate(word[1:], start=1):
        name = f"-{letter}"
        if name in _WITH_ARGUMENT:
            return name, word[index + 1 :] or None
        _flag(command, name)
    return "-s", None


def _flag(command: _Command, name: str) -> None:
    if name in ("-G", "--get"):
        command.get = True
    elif name in ("-I", "--head"):
        command.head = True


def _apply(command: _Command, kind: str, value: str) -> None:
    apply = _EFFECTS.get(kind)
    if apply is not None:
        apply(command, value)


def _add_header(command: _Command, value: str) -> None:
    name, _, text = value.partition(":")
    command.headers.append((name.strip().encode(), text.strip().encode("utf-8", "surrogateescape")))


def _add_data(command: _Command, value: str) -> None:
    if value.startswith("@"):
        raise ReadError(f"The curl command reads the file {value[1:]!r}; save the request as HTTP instead.")
    command.data.append(value)


def _add_json(command: _Command, value: str) -> None:
    _add_data(command, value)
    command.json = True


def _add_query(command: _Command, value: str) -> None:
    command.queries.append(value.removeprefix("+") if value.startswith("+") else _urlencoded(value))


def _field(name: str) -> Callable[[_Command, str], None]:
    return lambda command, value: _add_header(command, f"{name}: {value}")


def _urlencoded(value: str) -> str:
    name, mark, text = value.partition("=")
    if not mark:
        if "@" in value:
            raise ReadError("The curl command reads a file for --data-urlencode; save the request as HTTP instead.")
        return quote_plus(value).replace("+", "%20")
    encoded = quote_plus(text).replace("+", "%20")
    return f"{name}={encoded}" if name else encoded


_EFFECTS: dict[str, Callable[[_Command, str], None]] = {
    "url": lambda command, value: command.urls.append(value),
    "request": lambda command, value: setattr(command, "method", value),
    "header": _add_header,
    "data": _add_data,
    "binary": _add_data,
    "raw": lambda command, value: command.data.append(value),
    "json": _add_json,
    "urlencode": lambda command, value: command.data.append(_urlencoded(value)),
    "query": _add_query,
    "form": lambda command, value: command.multipart.append(value),
    "target": lambda command, value: setattr(command, "target", value),
    "agent": _field("User-Agent"),
    "referer": _field("Referer"),
    "cookie": _field("Cookie"),
}


def _words(text: str) -> list[str]:
    """Split a command as bash does, or as cmd does if it escapes with carets."""
    if re.search(r'\^["\r\n^&%]', text) and "'" not in text.partition("curl")[2][:2]:
        text = re.sub(r"\^\r?\n\r?\n", "\n", text)
        text = re.sub(r"\^\r?\n", " ", text)
        text = re.sub(r"\^(.)", r"\1", text, flags=re.DOTALL)
        text = re.sub(r'(?<=[^\s])""(?=[^\s])', '\\\\"', text)
    else:
        text = re.sub(r"\\\r?\n", " ", text)
    text = re.sub(r"\$'((?:\\.|[^'\\])*)'", lambda match: shlex.quote(_ansi(match[1])), text, flags=re.DOTALL)
    try:
        return shlex.split(text)
    except ValueError as error:
        raise ReadError(f"The curl command cannot be split into words: {str(error).lower()}.") from None


_ANSI = {"n": "\n", "r": "\r", "t": "\t", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v"}
_ANSI_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{1,4}|U[0-9a-fA-F]{1,8}|x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", re.DOTALL)


def _ansi(text: str) -> str:
    """The text of bash's ``$'...'``; octets that are not UTF-8 as surrogate escapes."""

    def octets(match: re.Match[str]) -> bytes:
        code = match[1]
        if code[0] in "uU" and len(code) > 1:
            return chr(min(int(code[1:], 16), 0x10FFFF)).encode("utf-8", "replace")
        if code[0] == "x" and len(code) > 1:
            return bytes([int(code[1:], 16)])
        if code[0] in "01234567":
            return bytes([int(code, 8) & 0xFF])
        return _ANSI.get(code, code).encode()

    pieces: list[bytes] = []
    end = 0
    for match in _ANSI_ESCAPE.finditer(text):
        pieces += [text[end : match.start()].encode(), octets(match)]
        end = match.end()
    pieces.append(text[end:].encode())
    return b"".join(pieces).decode("utf-8", "surrogateescape")
