"""Redis over TLS: one server, Sentinels, and a Cluster."""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from async_oauth1.errors import StoreError
from async_oauth1.stores import open_store
from tests.servers import Valkey, redis_binary
from tests.servers.certificates import Authority
from tests.servers.processes import PATIENCE, wait_until

from .conftest import Files

PASSWORD = "pass-word-of-redis"


class TlsRedis(Valkey):
    """A Redis server of the system that speaks TLS alone, with a password. The wheel's Valkey has no TLS."""

    def __init__(self, files: tuple[Path, Path], authority: Path, *options: str) -> None:
        self.files, self.authority = files, authority
        binary = redis_binary()
        if binary is None and not os.environ.get("CI"):
            pytest.skip("redis-server is no wheel and not installed here")
        assert binary is not None, "there is no redis-server"
        super().__init__(*options, binary=binary)

    def command(self) -> list[str]:
        """The command of a server with the certificate; replication and the Cluster's bus use it, too."""
        certificate, key = self.files
        plain = super().command()
        plain[plain.index("--port") + 1] = "0"
        return [
            *plain, "--tls-port", str(self.port), "--tls-cert-file", str(certificate), "--tls-key-file", str(key),
            "--tls-ca-cert-file", str(self.authority), "--tls-auth-clients", "no", "--tls-cluster", "yes",
            "--tls-replication", "yes", "--requirepass", PASSWORD,
        ]  # fmt: skip

    def client(self) -> Any:
        """A client that checks nothing."""
        return redis.Redis(
            port=self.port, password=PASSWORD, socket_timeout=PATIENCE, ssl=True, ssl_cert_reqs="none",
            ssl_check_hostname=False,
        )  # fmt: skip

    def address(self, userinfo: str = f":{PASSWORD}@") -> str:
        """The part of a URL behind its scheme."""
        return f"{userinfo}127.0.0.1:{self.port}"


class TlsSentinel(TlsRedis):
    """A Sentinel that speaks TLS alone, and monitors one master."""

    def __init__(self, files: tuple[Path, Path], authority: Path, master: Valkey) -> None:
        self._master = master
        super().__init__(files, authority)

    def command(self) -> list[str]:
        """The command that runs the server as a Sentinel."""
        certificate, key = self.files
        file = self.folder / "sentinel.conf"
        if not file.exists():
            file.write_text(
                f"port 0\ntls-port {self.port}\nbind 127.0.0.1\ntls-cert-file {certificate}\ntls-key-file {key}\n"
                f"tls-ca-cert-file {self.authority}\ntls-auth-clients no\ntls-replication yes\n"
                f"requirepass {PASSWORD}\nsentinel monitor photos 127.0.0.1 {self._master.port} 1\n"
                f"sentinel auth-pass photos {PASSWORD}\ndir {self.folder}\n"
            )
        return [self.binary, str(file), "--sentinel"]


@pytest.fixture(scope="module")
def servers(certificates: Files, authority: Authority) -> Iterator[dict[str, TlsRedis]]:
    """A server with each certificate."""
    running = {name: TlsRedis(files, authority.certificate) for name, files in certificates.items()}
    yield running
    for server in running.values():
        server.close()


@pytest.fixture(scope="module")
def plain_server() -> Iterator[Valkey]:
    """A server without TLS."""
    server = Valkey()
    yield server
    server.close()


async def refusal(url: str, caplog: pytest.LogCaptureFixture) -> str:
    """Why a store cannot be opened; neither the message nor the log has the password."""
    caplog.set_level(logging.DEBUG, "async_oauth1")
    with pytest.raises(StoreError) as caught:
        await open_store(url).open()
    assert PASSWORD not in f"{caught.value} {caught.value.__cause__!r} {caplog.text}"
    return str(caught.value)


async def use(url: str) -> None:
    """Open a store, and use a nonce twice."""
    async with open_store(url) as store:
        now = str(int(time.time()))
        assert await store.exists_nonce("n", now, "client", None) is False
        assert await store.exists_nonce("n", now, "client", None) is True


async def test_one_server_with_the_right_certificate(servers: dict[str, TlsRedis], authority: Authority) -> None:
    """``rediss://`` and ``tls=1`` are the same."""
    address = servers["right"].address()
    await use(f"rediss://{address}/0?ssl_ca_certs={authority.certificate}")
    await use(f"redis://{address}/0?tls=1&ssl_ca_certs={authority.certificate}&prefix=other")


@pytest.mark.parametrize(
    ("server", "options", "reason"),
    [
        ("right", "", "the server's certificate is not signed by a trusted authority"),
        ("right", "ssl_ca_certs={folder}/other.pem", "is not signed by a trusted authority"),
        ("right", "ssl_ca_certs={folder}/other.pem&ssl_cert_reqs=optional", "is not signed by a trusted authority"),
        ("right", "ssl_ca_certs={folder}/nothing.pem", "the file of ssl_ca_certs cannot be read"),
        ("right", "ssl_ca_certs={folder}/right.key", "holds no certificate"),
        ("host", "ssl_ca_certs={folder}/authority.pem", "is for another host .*127.0.0.1"),
        ("expired", "ssl_ca_certs={folder}/authority.pem", "the server's certificate has expired"),
    ],
)
async def test_a_certificate_that_is_not_valid_is_refused(
    server: str,
    options: str,
    reason: str,
    servers: dict[str, TlsRedis],
    folder: Path,
    other_authority: Authority,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The message says what is wrong with it."""
    url = f"rediss://{servers[server].address()}/0?{options.format(folder=folder)}"
    assert re.search(reason, await refusal(url, caplog))


async def test_a_server_without_tls_is_refused(
    plain_server: Valkey, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    """No password and no nonce is sent to it, and the message says why."""
    url = f"rediss://:{PASSWORD}@127.0.0.1:{plain_server.port}/0?timeout=0.5&ssl_ca_certs={authority.certificate}"
    assert "the server must speak TLS on this port" in await refusal(url, caplog)
    with plain_server.client() as client:
        assert "cmdstat_auth" not in client.info("commandstats")


async def test_a_server_with_tls_alone_is_named(servers: dict[str, TlsRedis], caplog: pytest.LogCaptureFixture) -> None:
    """A URL without TLS is told how to ask for it."""
    assert "use rediss:// or tls=1" in await refusal(f"redis://{servers['right'].address()}/0", caplog)


async def test_a_wrong_password_is_not_shown(
    servers: dict[str, TlsRedis], authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    """The server's answer is the reason."""
    url = f"rediss://{servers['right'].address(f':{PASSWORD}2@')}/0?ssl_ca_certs={authority.certificate}"
    assert "invalid username-password pair" in await refusal(url, caplog)


async def test_a_sentinel_and_its_master(
    servers: dict[str, TlsRedis], authority: Authority, other_authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    """Both must have a certificate that holds."""
    sentinel = TlsSentinel(servers["right"].files, authority.certificate, servers["right"])
    try:
        url = f"redis+sentinel://{sentinel.address()}/photos?tls=1&sentinel_password={PASSWORD}&prefix=s&ssl_ca_certs="
        await use(f"{url}{authority.certificate}")
        assert "is not signed by a trusted authority" in await refusal(f"{url}{other_authority.certificate}", caplog)
    finally:
        sentinel.close()


@pytest.mark.parametrize(
    ("master", "reason"),
    [("plain", "the server must speak TLS on this port"), ("host", "is for another host"), ("expired", "has expired")],
)
async def test_a_master_that_a_sentinel_names_needs_a_certificate_of_its_own(
    master: str,
    reason: str,
    servers: dict[str, TlsRedis],
    plain_server: Valkey,
    authority: Authority,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """That the Sentinel speaks TLS is not enough."""
    named = plain_server if master == "plain" else servers[master]
    sentinel = TlsSentinel(servers["right"].files, authority.certificate, named)
    try:
        url = (
            f"redis+sentinel://{sentinel.address()}/photos?tls=1&sentinel_password={PASSWORD}&timeout=1"
            f"&ssl_ca_certs={authority.certificate}"
        )
        assert reason in await refusal(url, caplog)
    finally:
        sentinel.close()


@pytest.mark.parametrize(("name", "reason"), [("right", None), ("host", "is for another host")])
async def test_a_cluster(
    name: str,
    reason: str | None,
    certificates: Files,
    authority: Authority,
    other_authority: Authority,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its nodes are asked over TLS, and checked as one server is."""
    node = TlsRedis(certificates[name], authority.certificate, "--cluster-enabled", "yes")
    try:
        with node.client() as client:
            client.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16_383)
            wait_until(lambda: b"cluster_state:ok" in _info(client), "the cluster serves every slot")
        url = f"redis+cluster://{node.address()}?tls=1&ssl_ca_certs="
        if reason is None:
            await use(f"{url}{authority.certificate}")
            reason, authority = "is not signed by a trusted authority", other_authority
        assert reason in await refusal(f"{url}{authority.certificate}", caplog)
    finally:
        node.close()


def _info(client: Any) -> bytes:
    answer = client.execute_command("CLUSTER INFO")
    return answer if isinstance(answer, bytes) else str(answer).replace("': '", ":").encode()
