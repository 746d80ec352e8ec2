"""nginx and Caddy with the files in ``deploy/``, on free ports and with a certificate of the tests."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests.attacks.asgi_servers import PATIENCE, read_all
from tests.attacks.signer import Message
from tests.attacks.sockets import RawAnswer, request_octets
from tests.attacks.transport.test_documented_proxies import PREAMBLE, binary, running

DEPLOY = Path(__file__).parents[2] / "deploy"
HOST = "api.example.com"
#: What the files are for.
BASE_URL = f"https://{HOST}/v1"

#: Starts a proxy in a folder: on a port for https and one for http, in front of ports, with a certificate.
Proxy = Callable[[Path, tuple[int, int], Sequence[int], Path], AbstractContextManager[None]]


@contextmanager
def nginx(folder: Path, ports: tuple[int, int], backends: Sequence[int], certificate: Path) -> Iterator[None]:
    """nginx with ``deploy/nginx``."""
    secure, plain = ports
    line = next(
        line for line in (DEPLOY / "nginx/provider-upstream.conf").read_text().splitlines() if line.startswith("server")
    )
    assert "127.0.0.1:8000" in line
    upstream = "\n".join(line.replace(":8000", f":{port}") for port in backends)
    (folder / "provider-upstream.conf").write_text(upstream)
    text = (DEPLOY / "nginx/provider.conf").read_text()
    for old, new in (
        ("include provider-upstream.conf", f"include {folder}/provider-upstream.conf"),
        ("listen 443 ssl", f"listen 127.0.0.1:{secure} ssl"),
        ("listen 80 ", f"listen 127.0.0.1:{plain} "),
        ("/etc/nginx/tls/fullchain.pem", str(certificate)),
        ("/etc/nginx/tls/privkey.pem", str(certificate)),
        ("/var/log/nginx/access.log", f"{folder}/access.log"),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    file = folder / "nginx.conf"
    file.write_text(PREAMBLE.format(folder=folder, server=text))
    with running([binary("nginx"), "-p", str(folder), "-c", str(file)], secure):
        yield


@contextmanager
def caddy(folder: Path, ports: tuple[int, int], backends: Sequence[int], certificate: Path) -> Iterator[None]:
    """Caddy with ``deploy/caddy``."""
    secure, plain = ports
    text = (DEPLOY / "caddy/Caddyfile").read_text()
    for old, new in (
        (f"http://{HOST} {{", f"http://{HOST}:{plain} {{"),
        (f"https://{HOST} {{", f"https://{HOST}:{secure} {{\n\ttls {certificate} {certificate}"),
        ("reverse_proxy 127.0.0.1:8000", "reverse_proxy " + " ".join(f"127.0.0.1:{port}" for port in backends)),
    ):
        assert len(re.findall(rf"^\s*{re.escape(old)}", text, re.MULTILINE)) == 1, old
        text = re.sub(rf"^(\s*){re.escape(old)}", lambda found, new=new: found[1] + new, text, flags=re.MULTILINE)
    file = folder / "Caddyfile"
    log = f"log {{\n\t\toutput file {folder}/error.log\n\t\tlevel ERROR\n\t}}"
    file.write_text(f"{{\n\tadmin off\n\tauto_https off\n\t{log}\n}}\n{text}")
    command = [binary("caddy"), "run", "--config", str(file), "--adapter", "caddyfile"]
    with running(command, secure, HOME=str(folder)):
        yield


PROXIES: dict[str, Proxy] = {"nginx": nginx, "caddy": caddy}


@contextmanager
def proxy_folder() -> Iterator[Path]:
    """A folder that nginx's workers, which run as another user, can enter."""
    folder = Path(tempfile.mkdtemp(prefix="oauth1-proxy-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def unverified() -> ssl.SSLContext:
    """A context that accepts the certificate of the tests."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def ask(port: int, message: Message, *, tls: bool = True) -> RawAnswer:
    """Send one request to a proxy, and read until it closes the connection."""
    raw = socket.create_connection(("127.0.0.1", port), PATIENCE)
    with unverified().wrap_socket(raw, server_hostname=HOST) if tls else raw as connection:
        connection.sendall(request_octets(message))
        return RawAnswer(read_all(connection))
