"""`/metrics` of photos has the figures of all workers, in Prometheus' text format, for this machine or with a token."""

from __future__ import annotations

import signal
from pathlib import Path

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from async_oauth1.telemetry import INSTRUMENTS
from examples.photos.settings import SettingsError, read_settings
from tests.examples.jane import Jane, Printer
from tests.examples.running import Photos, photos
from tests.servers import wait_until


def scrape(running: Photos) -> dict[str, float]:
    """The sums over all labels, by name, once the text has been parsed."""
    answer = httpx2.get(f"{running.url}/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    sums: dict[str, float] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
    return sums


def test_figures(tmp_path: Path) -> None:
    """Every request counts once, whichever worker has served it and whichever answers the scrape."""
    with photos("--workers", "2", store=f"sqlite:///{tmp_path}/photos.db") as running, Jane(running.url) as jane:
        jane.sign_in()
        printer = Printer(running.url)
        printer.let_in_by(jane)
        before = scrape(running)["oauth1_server_requests_total"]
        assert [printer.photo().status_code for _ in range(10)] == [200] * 10
        assert httpx2.get(f"{running.url}/photos").status_code == 401
        for found in [scrape(running) for _ in range(4)]:
            assert found["oauth1_server_requests_total"] == before + 11
            assert found["oauth1_store_nonce_batch_size_sum"] >= 10
        running.process.send_signal(signal.SIGHUP)  # a worker counts nonces when it starts, and then once a minute
        wait_until(lambda: scrape(running).get("oauth1_store_nonces", 0) > 0, "nonces are counted")
        known = {instrument.prometheus_name for instrument in INSTRUMENTS}
        assert known & scrape(running).keys()


def test_a_restart_keeps_the_counts(tmp_path: Path) -> None:
    """Workers that have ended still count, and their directory is removed at the end."""
    with photos("--workers", "2", store=f"sqlite:///{tmp_path}/photos.db") as running:
        for _ in range(6):
            httpx2.get(f"{running.url}/photos")
        assert scrape(running)["oauth1_server_requests_total"] == 6
        running.process.send_signal(signal.SIGHUP)
        while "is ready" not in running.next_error():
            pass
        assert scrape(running)["oauth1_server_requests_total"] == 6


def test_not_through_a_proxy() -> None:
    """What a proxy passes on gets 404: the figures are for this machine."""
    with photos() as running:
        for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
            assert httpx2.get(f"{running.url}/metrics", headers={name: "192.0.2.1"}).status_code == 404
        httpx2.get(f"{running.url}/photos")
        assert scrape(running)["oauth1_server_requests_total"] == 1


def test_a_proxy_on_this_machine_needs_the_token() -> None:
    """Behind a proxy, which may remove every header that shows it, a request from this machine proves nothing."""
    token = "0123456789abcdef" * 2
    url = ("--external-base-url", "https://photos.example.net")
    with photos(*url) as running:
        assert httpx2.get(f"{running.url}/metrics").status_code == 404
    with photos(*url, PHOTOS_METRICS_TOKEN=token) as running:
        for wrong in ({}, {"Authorization": f"Bearer {token}x"}, {"Authorization": token}):
            assert httpx2.get(f"{running.url}/metrics", headers=wrong).status_code == 404
        forwarded = {"X-Forwarded-For": "192.0.2.1", "Authorization": f"Bearer {token}"}
        assert httpx2.get(f"{running.url}/metrics", headers=forwarded).status_code == 200
        assert running.stop() == 0
        assert token not in running.output[1]


def test_a_short_token_is_refused() -> None:
    """It could be guessed; the error names the variable and no value."""
    with pytest.raises(SettingsError, match=r"^PHOTOS_METRICS_TOKEN must have at least 32 characters$"):
        read_settings([], {"PHOTOS_METRICS_TOKEN": "secret"})
