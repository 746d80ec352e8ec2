"""`doctor` names each misconfiguration of real proxies in front of photos, and finds nothing where all is well."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.transport.test_documented_proxies import certificate
from tests.cli.command import assert_one_line_error, run_in_process
from tests.examples.jane import PRINTER
from tests.examples.running import Photos, photos
from tests.servers.processes import free_ports

from .proxies import GOOD, PASSED, REMOVED, caddy, doctor, nginx, photos_with_a_clock, wrong

__all__ = ["certificate"]


@pytest.fixture(scope="module")
def provider() -> Iterator[Photos]:
    """Photos as it starts on loopback: it uses the Host header."""
    with photos() as running:
        yield running


def test_photos_itself_is_well(provider: Photos) -> None:
    """Without a proxy, everything that is tried is well, and exit status 0 says so."""
    status, report = doctor(provider.url)
    assert (status, report["well"], wrong(report)) == (0, True, [])
    assert {finding["level"] for finding in report["findings"]} == {"ok"}


def test_a_proxy_as_the_guide_has_it_is_well(provider: Photos, tmp_path: Path) -> None:
    """nginx with the guide's lines, and Caddy that removes forwarding headers."""
    one, two = free_ports(2)
    lines = f"{GOOD} location / {{ proxy_pass {provider.url}; {PASSED} }}"
    site = f"reverse_proxy {provider.url} {{\n header_up -Forwarded\n header_up -X-Forwarded-*\n}}"
    (tmp_path / "caddy").mkdir()
    with nginx(tmp_path, one, lines), caddy(tmp_path / "caddy", two, site):
        for port in (one, two):
            status, report = doctor(f"http://127.0.0.1:{port}")
            assert (status, wrong(report)) == (0, [])


BAD_NGINX = {
    "merge_slashes": (
        "large_client_header_buffers 4 128k; location / {{ rewrite ^ $uri break; proxy_pass {url}; {passed} }}",
        [("paths", "// in a path is merged", "merge_slashes off"), ("paths", "%2F in a path is decoded", "proxy_pass")],
    ),
    "a URI in proxy_pass": (
        "{good} location / {{ proxy_pass {url}/; {passed} }}",
        [("paths", "%2F in a path is decoded to /", "proxy_pass without anything behind the host")],
    ),
    "small buffers": (
        "merge_slashes off; location / {{ proxy_pass {url}; {passed} }}",
        [("large headers", "that passes has 8 KiB", "large_client_header_buffers 4 128k")],
    ),
    "Host not passed": (
        "{good} location / {{ proxy_pass {url}; proxy_http_version 1.1; {removed} }}",
        [("url", "The provider sees the host 127.0.0.1:{port}", "proxy_set_header Host $http_host")],
    ),
    "the port left out of Host": (
        "{good} location / {{ proxy_pass {url}; proxy_http_version 1.1; proxy_set_header Host $host; {removed} }}",
        [("url", "The provider sees the host 127.0.0.1, and", "proxy_set_header Host $http_host")],
    ),
}


@pytest.mark.parametrize("name", BAD_NGINX)
def test_each_misconfiguration_of_nginx_is_named(name: str, provider: Photos, tmp_path: Path) -> None:
    """What is wrong, and which line of the proxy's configuration changes it; nothing else is called wrong."""
    [port] = free_ports(1)
    pattern, expected = BAD_NGINX[name]
    lines = pattern.format(url=provider.url, good=GOOD, passed=PASSED, removed=REMOVED)
    with nginx(tmp_path, port, lines):
        status, report = doctor(f"http://127.0.0.1:{port}", "--upstream", f"127.0.0.1:{provider.port}")
    assert status == 1
    for probe, text, fix in expected:
        said = text.format(port=provider.port)
        assert any(p == probe and said in t and fix in f for p, t, f in wrong(report)), (said, wrong(report))
    assert {probe for probe, _, _ in wrong(report)} == {probe for probe, _, _ in expected}


def test_a_prefix_that_is_removed(provider: Photos, tmp_path: Path) -> None:
    """The provider does not see /v1: external_base_url needs it; with it, all is well."""
    [port] = free_ports(1)
    lines = (
        f"{GOOD} location /v1/ {{ rewrite ^ $request_uri; rewrite ^/v1(/.*) $1 break; return 400; "
        f"proxy_pass {provider.url}$uri; {PASSED} }}"
    )
    base = f"http://127.0.0.1:{port}/v1"
    with nginx(tmp_path, port, lines):
        status, report = doctor(base)
        (found,) = wrong(report)
        assert status == 1
        assert found[0] == "url"
        assert "does not see the prefix /v1" in found[1]
        assert f"external_base_url to {base}" in found[2]


def test_a_prefix_in_external_base_url_alone(tmp_path: Path) -> None:
    """The proxy does not remove the prefix that external_base_url puts in front."""
    [port] = free_ports(1)
    base = f"http://127.0.0.1:{port}/signed"
    with (
        photos("--external-base-url", base, "--demo-data") as running,
        nginx(tmp_path, port, f"{GOOD} location / {{ proxy_pass {running.url}; {PASSED} }}"),
    ):
        status, report = doctor(base, path="/x")
    assert status == 1
    assert any("sees the prefix /signed twice" in text for _, text, _ in wrong(report)), wrong(report)


def test_https_without_x_forwarded_proto(provider: Photos, tmp_path: Path, certificate: Path) -> None:
    """TLS ends at nginx, and the provider sees http; a certificate that does not fit is named first."""
    [port] = free_ports(1)
    url = f"https://api.example.com:{port}"
    with nginx(tmp_path, port, f"{GOOD} location / {{ proxy_pass {provider.url}; {PASSED} }}", certificate=certificate):
        status, report = doctor(f"https://127.0.0.1:{port}", "--ca-file", str(certificate))
        assert status == 1
        assert "certificate of 127.0.0.1 is not valid" in wrong(report)[0][1]
        assert not wrong(report)[0][1].endswith("..")
        with pytest.MonkeyPatch.context() as patch:
            _resolve(patch, "api.example.com")
            status, report = doctor(url, "--ca-file", str(certificate))
    (found, *_) = wrong(report)
    assert status == 1
    assert found[1].startswith("The provider saw plain http")
    assert "X-Forwarded-Proto $scheme" in found[2]


def _resolve(patch: pytest.MonkeyPatch, name: str) -> None:
    """Let a name be this machine's."""
    import socket

    connect = socket.create_connection
    patch.setattr(
        socket,
        "create_connection",
        lambda address, *rest: connect(("127.0.0.1", address[1]) if address[0] == name else address, *rest),
    )


def test_https_that_is_well(tmp_path: Path, certificate: Path) -> None:
    """With external_base_url everything is well over TLS, PLAINTEXT included."""
    [port] = free_ports(1)
    url = f"https://api.example.com:{port}"
    with photos("--external-base-url", url, "--demo-data") as running, pytest.MonkeyPatch.context() as patch:
        _resolve(patch, "api.example.com")
        lines = f"{GOOD} location / {{ proxy_pass {running.url}; {PASSED} }}"
        with nginx(tmp_path, port, lines, certificate=certificate):
            status, report = doctor(url, "--ca-file", str(certificate))
    assert (status, wrong(report)) == (0, [])
    assert "PLAINTEXT" in next(f["text"] for f in report["findings"] if f["probe"] == "methods")


def test_a_caddy_that_removes_a_prefix(provider: Photos, tmp_path: Path) -> None:
    """`handle_path` merges slashes."""
    [port] = free_ports(1)
    site = f"handle_path /v1/* {{\n reverse_proxy {provider.url} {{\n header_up -X-Forwarded-*\n }}\n}}"
    with caddy(tmp_path, port, site):
        _, report = doctor(f"http://127.0.0.1:{port}/v1")
    assert any(probe == "paths" and "//" in text and "handle_path" in fix for probe, text, fix in wrong(report))
    assert any(probe == "url" and "/v1" in text for probe, text, _ in wrong(report))


def test_a_clock_that_is_off() -> None:
    """The difference is named, and what else is tried allows for it."""
    with photos_with_a_clock(behind=1_000) as url:
        status, report = doctor(url)
    (found,) = wrong(report)
    assert status == 1
    assert found[0] == "clock"
    assert "seconds behind this machine's" in found[1]
    assert 990 <= int(found[1].split(" seconds")[0].rpartition(" ")[2]) <= 1_010
    assert "NTP" in found[2]


def test_wrong_credentials(provider: Photos) -> None:
    """No view of the URL verifies: the credentials are named first, and the secret is not shown."""
    status, report = doctor(provider.url, ASYNC_OAUTH1_CLIENT_SECRET="hunter2 and more")
    assert status == 1
    assert "credentials are wrong" in wrong(report)[0][1]
    assert "hunter2" not in str(report)


def test_a_path_that_wants_a_token(provider: Photos) -> None:
    """The missing option is named."""
    _, report = doctor(provider.url, path="/photos")
    assert "--token" in wrong(report)[0][2]


def test_a_path_that_is_not_protected(provider: Photos) -> None:
    """Nothing can be learned from it."""
    status, report = doctor(provider.url, path="/health")
    assert status == 1
    assert "the path is not protected" in wrong(report)[0][1]


def test_the_text_for_people(provider: Photos) -> None:
    """One line for each probe, and a last one with the result."""
    known = {"ASYNC_OAUTH1_CLIENT_ID": PRINTER[0], "ASYNC_OAUTH1_CLIENT_SECRET": PRINTER[1]}
    result = run_in_process("doctor", provider.url, "--protected-path", "/signed", **known)
    assert result.returncode == 0
    assert "Nothing is wrong." in result.stdout
    assert PRINTER[1] not in result.stdout + result.stderr


def test_what_cannot_be_used() -> None:
    """One line on stderr and exit status 2."""
    known = {"ASYNC_OAUTH1_CLIENT_ID": "x", "ASYNC_OAUTH1_CLIENT_SECRET": "hunter2"}
    [closed] = free_ports(1)
    for arguments, reason in (
        ((f"http://127.0.0.1:{closed}",), "cannot be reached"),
        (("ftp://example.com",), "http or https URL"),
        (("http://user:hunter2@localhost",), "leave user"),
        (("http://localhost:x",), "URL"),
        (("http://localhost", "--protected-path", "x"), "--protected-path x: write a path"),
        (("http://localhost", "--ca-file", "/nonexistent"), "--ca-file"),
        (("http://localhost", "--rsa-private-key", "/nonexistent"), "--rsa-private-key"),
        (("http://localhost", "--client-secret", "hunter2"), "ASYNC_OAUTH1_CLIENT_SECRET"),
        (("http://localhost", "--upstream", "a b"), "--upstream"),
    ):
        assert_one_line_error(run_in_process("doctor", *arguments, **known), reason)
    assert_one_line_error(
        run_in_process("doctor", "http://localhost", ASYNC_OAUTH1_CLIENT_ID="x"), "no secret is known"
    )
