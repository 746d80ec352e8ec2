"""The formulas and the simulations behind docs/scaling.md; each bears the other out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from benchmarks.scaling import command as scaling
from benchmarks.scaling.command import main, measured_cpu, put
from benchmarks.scaling.simulations import BURST, DAY, CacheRun, burst, constant, daily_wave, run_cache, run_nonces
from benchmarks.scaling.sizing import (
    Assumptions,
    batch_size,
    cache_hit_rate,
    live_nonces,
    nonce_octets,
    popularity,
    size,
)
from benchmarks.scaling.tables import tables

from .made_up import duel, results

LIFETIME = 660.0
SMALL = Assumptions(tokens=1_000, cache_lifetime=1.0)


def cached(workers: int = 10, lifetime: float = 30.0, entries: int = 10_000, seed: int = 1) -> CacheRun:
    """A simulation of a thousand requests per second, for twenty thousand tokens."""
    return run_cache(
        rate=1_000,
        workers=workers,
        tokens=20_000,
        zipf=1.0,
        lifetime=lifetime,
        entries=entries,
        seconds=100,
        seed=seed,
    )


def computed(workers: int = 10, lifetime: float = 30.0, entries: int = 10_000) -> float:
    """The formula's hit rate for the same."""
    return cache_hit_rate(1_000 / workers, tokens=20_000, zipf=1.0, lifetime=lifetime, entries=entries)


def test_live_nonces_are_the_rate_times_the_lifetime() -> None:
    """Once the first have expired, as many come as go."""
    run = run_nonces(constant, rate=1_000, lifetime=LIFETIME, seconds=3_000)
    assert live_nonces(1_000, LIFETIME) == 660_000
    assert run.live[0] == pytest.approx(1_000, rel=0.2)
    assert all(live == pytest.approx(660_000, rel=0.01) for live in run.live[660:])


def test_a_burst_stays_for_a_lifetime() -> None:
    """Its minute of ten times as many adds nine minutes' worth, and all of it is gone one lifetime after it."""
    run = run_nonces(burst, rate=1_000, lifetime=LIFETIME, seconds=5_000)
    assert run.peak == pytest.approx(1_000 * (LIFETIME + 9 * 60), rel=0.01)
    assert run.above(1.7 * 660_000) == pytest.approx(LIFETIME - 60, abs=20)
    assert run.live[int(BURST[1] + LIFETIME)] == pytest.approx(660_000, rel=0.01)


def test_memory_follows_the_day_half_a_lifetime_later() -> None:
    """Traffic falls below its mean in the middle of the simulated day, and memory 330 seconds after that."""
    run = run_nonces(daily_wave, rate=1_000, lifetime=LIFETIME, seconds=DAY, step=10)
    assert run.peak == pytest.approx(1.8 * 660_000, rel=0.01)
    assert run.live[DAY // 20 + 33] == pytest.approx(660_000, rel=0.005)
    assert run.live[DAY // 20] > 1.01 * 660_000


def test_the_same_seed_has_the_same_results() -> None:
    """And another seed has others."""
    assert cached(seed=7) == cached(seed=7)
    assert cached(seed=7) != cached(seed=8)


def test_the_hit_rate_grows_with_the_lifetime_and_falls_with_the_workers() -> None:
    """In the simulation and in the formula."""
    for hit_rate in (lambda **change: cached(**change).hit_rate, computed):
        assert hit_rate(lifetime=5) < hit_rate(lifetime=30) < hit_rate(lifetime=120)
        assert hit_rate(workers=40) < hit_rate(workers=10) < hit_rate(workers=2)


@pytest.mark.parametrize("change", [{}, {"workers": 2}, {"lifetime": 120.0}, {"entries": 300}, {"entries": 1_000}])
def test_formula_and_simulation_agree(change: dict[str, float]) -> None:
    """Within two points, whether age ends an entry, or room for it."""
    assert computed(**change) == pytest.approx(cached(**change).hit_rate, abs=0.02)


def test_a_token_alone_misses_once_in_each_lifetime() -> None:
    """One look-up of 1 + rate x lifetime."""
    assert cache_hit_rate(2.0, tokens=1, zipf=1.0, lifetime=30.0, entries=10) == pytest.approx(60 / 61)


def test_the_memory_holds_no_more_than_it_may() -> None:
    """With room for fifty, fifty; with room for all, those that are young enough."""
    assert cached(entries=50).remembered <= 50
    assert 50 < cached().remembered < 10_000


def test_nothing_is_served_that_is_older_than_its_lifetime() -> None:
    """And some of it nearly is."""
    run = cached(lifetime=5)
    assert 4.5 < run.age(0.99) <= run.age(1.0) < 5
    assert 0 <= run.age(0.0) < run.age(0.5) < run.age(0.99)


@pytest.mark.parametrize("zipf", [0.0, 0.7, 1.0, 1.3])
def test_shares_of_popularity_are_a_whole(zipf: float) -> None:
    """Grouped ranks are all the ranks, and nearly what single ones would be."""
    groups = list(popularity(50_000, zipf))
    assert sum(count for count, _ in groups) == 50_000
    assert sum(count * share for count, share in groups) == pytest.approx(1)
    assert groups[0][1] == pytest.approx(1 / sum(rank**-zipf for rank in range(1, 50_001)), rel=0.001)


def test_batches_grow_with_what_waits() -> None:
    """Never below one nonce; with the distance; less where there are more shards to send it to."""
    assert batch_size(1_000, 10, 1, 500) == 1
    assert batch_size(1_000, 1, 1, 80_000) == 80
    assert batch_size(1_000, 1, 4, 80_000) == 20


def test_octets_of_a_nonce_are_those_on_the_wire() -> None:
    """A SET of 76 octets, and what a batch shares."""
    command = b"*6\r\n$3\r\nSET\r\n$24\r\noauth1:n0123456789abcdef\r\n$1\r\n1\r\n$2\r\nNX\r\n$2\r\nEX\r\n$3\r\n660\r\n"
    assert nonce_octets(1e9, LIFETIME) == pytest.approx(len(command))
    assert nonce_octets(1, LIFETIME) > nonce_octets(10, LIFETIME) > len(command)


def test_ten_times_the_requests_need_ten_times_as_much() -> None:
    """Workers, nonces and memory; shards once there are more than a Cluster begins with."""
    few, many = size(100_000, Assumptions()), size(1_000_000, Assumptions())
    assert many.workers == pytest.approx(10 * few.workers, rel=0.01)
    assert many.live == 10 * few.live
    assert many.gigabytes == pytest.approx(10 * few.gigabytes)
    assert many.shards >= 10 * few.shards_for_cpu - 1
    assert size(100, Assumptions()).shards == 1


def test_a_shard_is_no_busier_than_planned() -> None:
    """Whatever its batches are."""
    for given in (Assumptions(), Assumptions(round_trip_us=100_000), Assumptions(redis_call_us=100)):
        need = size(500_000, given)
        assert need.rate / need.shards * need.redis_us / 1e6 <= given.utilisation


def test_measured_figures_take_the_place_of_assumed_ones() -> None:
    """CPU time at the fixed rate; what cold credentials add, over the unprotected twins; nothing where nothing is."""
    made = results()
    assert measured_cpu(made) == {"cpu_us": (600, measured_cpu(made)["cpu_us"][1])}
    cold = duel("redis-cold", ["unprotected", "cold"])
    for pair in cold["bursts"]:
        pair[1]["cpu"] += 150
    made["serving"]["results"]["duels"].append(cold)
    assert measured_cpu(made)["cold_extra_us"][0] == 150
    made["serving"]["results"]["pacing"] = None
    assert measured_cpu(made)["cpu_us"][0] == 803
    assert measured_cpu({}) == {}


def test_the_page_has_a_place_for_every_table() -> None:
    """Where a table is put a second time, nothing changes."""
    page = scaling.PAGE.read_text(encoding="utf-8")
    for name, table in tables(SMALL, {}, seconds=1.0):
        assert len({line.count("|") for line in table.splitlines()}) == 1, name
        page = put(page, name, table)
        assert put(page, name, table) == page
        assert table in page
    with pytest.raises(ValueError, match="no place for the table of weather"):
        put(page, "weather", "")


@pytest.mark.parametrize(
    ("options", "cpu", "source"), [([], "600 us", "measured"), (["--cpu-us", "300"], "300 us", "assumed")]
)
def test_the_command_says_where_its_figures_are_from(
    options: list[str], cpu: str, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an option says counts more than what was measured, and is called an assumption."""
    file = tmp_path / "results.json"
    file.write_text(json.dumps(results()), encoding="utf-8")
    monkeypatch.setattr(scaling, "RESULTS", file)
    monkeypatch.setattr(scaling, "tables", lambda given, sources, **_: list(tables(given, sources, seconds=1.0))[:1])
    app = typer.Typer()
    app.command()(main)
    result = CliRunner().invoke(app, [*options, "--tokens", "1000", "--cache-lifetime", "1"])
    assert result.exit_code == 0, result.output
    assert f"| CPU time of a request, credentials remembered | {cpu} | {source}" in result.output


def test_more_tokens_make_more_look_ups() -> None:
    """At the same rate and for the same lifetime."""
    assert size(1_000, replace(SMALL, tokens=100)).look_ups < size(1_000, SMALL).look_ups
