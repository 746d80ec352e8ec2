"""The configurations of nginx and Caddy in ``docs/deploying.md`` load, and do not pass on a client's forged headers."""

from __future__ import annotations

import datetime
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.attacks.asgi_servers import APPLICATION, PATIENCE, ROOT, read_all, serving
from tests.attacks.provider import JANE
from tests.attacks.signer import sign
from tests.attacks.sockets import RawAnswer, request_octets
from tests.servers import wait_until
from tests.servers.processes import free_ports

GUIDE = (ROOT / "docs" / "deploying.md").read_text()
FORGED = [
    (b"forwarded", b"for=10.0.0.1;proto=https;host=evil.example"),
    (b"x-forwarded-for", b"10.0.0.1"),
    (b"x-forwarded-host", b"evil.example"),
    (b"x-forwarded-port", b"8443"),
    (b"x-forwarded-proto", b"https"),
    (b"x-forwarded-protocol", b"ssl"),
    (b"x-forwarded-ssl", b"on"),
]
PREAMBLE = """
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {server}
}}
"""


#: The parts of the guide with blocks: their headings, and the policy that they want.
ROOT_URL, PREFIX, TRUSTED = (
    "## Behind a proxy",
    "### Behind a proxy that removes a prefix",
    "### Behind a proxy in `trusted_proxies`",
)
UVICORN = ["-m", "uvicorn", "--port", "{port}", "--log-level", "warning"]
ECHO = "tests.attacks.echo_app:app"
#: What Caddy escapes if it has removed a prefix, as the guide says.
SUB_DELIMITERS = "/a!'()*"
#: Paths that a proxy likes to change.
AWKWARD = [
    "/photos",
    "/",
    "//",
    "/a//b",
    "//a///b//",
    "/a%2Fb",
    "/a%2fb%2F",
    "/%7Ejane;x=1/c%20d",
    "/a/./b",
    "/a/../b",
    "/a%2E%2E/b",
    "/%e2%82%ac/%C3%BC",
    "/a%3Fb%23c",
    "/a%25b%252Fc",
    "/a+b/:@$&,=~",
    SUB_DELIMITERS,
    "/a?x=%2F%26&y=a+b&z=//?",
    "/v1/v1",
]


def block(language: str, heading: str) -> str:
    """The guide's only block in a language in a section."""
    section = re.split(r"^##+ ", GUIDE.partition(f"{heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    [found] = re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)
    return str(found)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "api.example.com")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("api.example.com")]), critical=False)
    signed = builder.sign(key, hashes.SHA256())
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    encoding = serialization.Encoding.PEM
    plain = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(signed.public_bytes(encoding) + plain)
    return file


def binary(name: str) -> str:
    """Return the path of a proxy's program; without it, skip the test, or fail in CI."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/opt/homebrew/bin")
    if found is None and not os.environ.get("CI"):
        pytest.skip(f"{name} is not installed")
    assert found is not None, f"{name} is not installed"
    return found


@contextmanager
def nginx(
    folder: Path, port: int, backend: int, heading: str = ROOT_URL, certificate: Path | None = None
) -> Iterator[None]:
    """The guide's nginx; in clear text without a certificate."""
    listen = f"listen 127.0.0.1:{port}"
    if certificate:
        listen += f" ssl; ssl_certificate {certificate}; ssl_certificate_key {certificate}"
    server = block("nginx", heading).replace("listen 443 ssl", listen).replace(":8000", f":{backend}")
    file = folder / "nginx.conf"
    file.write_text(PREAMBLE.format(folder=folder, server=server))
    with running([binary("nginx"), "-p", str(folder), "-c", str(file)], port):
        yield


@contextmanager
def caddy(
    folder: Path, port: int, backend: int, heading: str = ROOT_URL, certificate: Path | None = None
) -> Iterator[None]:
    """The guide's Caddy; in clear text without a certificate."""
    site = block("caddyfile", heading)
    if certificate:
        tls = f"https://api.example.com:{port} {{\n    tls {certificate} {certificate}"
        site = site.replace("api.example.com {", tls)
    else:
        site = site.replace("api.example.com", f"http://api.example.com:{port}")
    file = folder / "Caddyfile"
    file.write_text("{\n    admin off\n    auto_https off\n}\n" + site.replace(":8000", f":{backend}"))
    with running([binary("caddy"), "run", "--config", str(file), "--adapter", "caddyfile"], port, HOME=str(folder)):
        yield


@contextmanager
def running(command: list[str], port: int, **environment: str) -> Iterator[None]:
    """Run a proxy, and wait until it listens."""
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment) as process:
        try:
            wait_until(lambda: process.poll() is not None or listens(port), f"{command[0]} listens")
            assert process.poll() is None, f"{command[0]} has ended"
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE)


def listens(port: int) -> bool:
    """Return whether a connection is accepted."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("proxy", [nginx, caddy])
@pytest.mark.parametrize("flags", [["--no-proxy-headers"], []], ids=["as the guide says", "uvicorn as it is"])
def test_a_proxy_as_the_guide_has_it(proxy: object, flags: list[str], tmp_path: Path) -> None:
    """Signatures over unusual paths verify, large heads pass, and no header of a client's making arrives."""
    command = [*UVICORN, APPLICATION, *flags]
    [port] = free_ports(1)
    base_url = "https://api.example.com"
    with (
        serving(command, {"external_base_url": base_url}) as backend,
        proxy(tmp_path, port, backend),  # type: ignore[operator]
    ):
        headers = [*FORGED, (b"x-large", b"x" * 60_000)]
        target = "/starlette/echo?a=%2f%7E&b=//"
        message = sign(JANE, "GET", target, origin=base_url, headers=headers)
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
            connection.sendall(request_octets(message))
            answer = RawAnswer(read_all(connection))
        body = answer.octets[answer.octets.index(b"{") : answer.octets.rindex(b"}") + 1]
        assert answer.status == 200, answer
    for name, value in FORGED:
        assert f'["{name.decode()}","{value.decode()}"]' not in body.decode()
    assert b'"scheme":"http"' in body
    assert b"10.0.0.1" not in body


def send_through(port: int, target: str, *, tls: bool) -> tuple[int, bytes]:
    """Sign a request for the outer URL, send it to a proxy, and return the status and the body."""
    message = sign(JANE, "GET", target, origin="https://api.example.com", headers=FORGED[:1])
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as raw:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = context.wrap_socket(raw, server_hostname="api.example.com") if tls else raw
        with connection:
            connection.sendall(request_octets(message))
            answer = RawAnswer(read_all(connection))
    return answer.status, answer.octets


@pytest.mark.parametrize("proxy", [nginx, caddy])
@pytest.mark.parametrize(
    ("heading", "prefix", "policy"),
    [
        (ROOT_URL, "", {"external_base_url": "https://api.example.com"}),
        (PREFIX, "/v1", {"external_base_url": "https://api.example.com/v1"}),
        (TRUSTED, "", {"trusted_proxies": ["127.0.0.1"], "allowed_hosts": ["api.example.com"]}),
    ],
    ids=["root", "prefix", "trusted"],
)
def test_awkward_paths_verify_behind_each_block(
    proxy: object, heading: str, prefix: str, policy: dict[str, object], tmp_path: Path, certificate: Path
) -> None:
    """The path arrives as it was signed, without the prefix; a path beside the prefix does not arrive."""
    [port] = free_ports(1)
    tls = heading == TRUSTED
    with (
        serving([*UVICORN, ECHO, "--no-proxy-headers"], policy) as backend,
        proxy(tmp_path, port, backend, heading, certificate if tls else None),  # type: ignore[operator]
    ):
        for path in AWKWARD:
            if prefix and proxy is caddy and path == SUB_DELIMITERS:
                continue
            status, octets = send_through(port, prefix + path, tls=tls)
            assert (status, json.dumps(path.partition("?")[0]) in octets.decode()) == (200, True), (path, octets)
        if prefix:
            for path in ("/x/../v1/photos", "/V1/photos", "/photos", "/v1photos"):
                status, _ = send_through(port, path, tls=tls)
                assert status in (400, 401, 403, 404), path
