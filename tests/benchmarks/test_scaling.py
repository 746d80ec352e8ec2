"""The formulas and the simulations of docs/scaling.md, checked against each other."""

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
    """The hit rate by the formula, for the same requests."""
    return cache_hit_rate(1_000 / workers, tokens=20_000, zipf=1.0, lifetime=lifetime, entries=entries)


def test_live_nonces_are_the_rate_times_the_lifetime() -> None:
    """After one lifetime, the number of live nonces is constant."""
    run = run_nonces(constant, rate=1_000, lifetime=LIFETIME, seconds=3_000)
    assert live_nonces(1_000, LIFETIME) == 660_000
    assert run.live[0] == pytest.approx(1_000, rel=0.2)
    assert all(live == pytest.approx(660_000, rel=0.01) for live in run.live[660:])


def test_a_burst_stays_for_a_lifetime() -> None:
    """A minute at ten times the rate adds nine minutes' worth of nonces, for one lifetime."""
    run = run_nonces(burst, rate=1_000, lifetime=LIFETIME, seconds=5_000)
    assert run.peak == pytest.approx(1_000 * (LIFETIME + 9 * 60), rel=0.01)
    assert run.above(1.7 * 660_000) == pytest.approx(LIFETIME - 60, abs=20)
    assert run.live[int(BURST[1] + LIFETIME)] == pytest.approx(660_000, rel=0.01)


def test_memory_follows_the_day_half_a_lifetime_later() -> None:
    """Memory falls below its mean 330 seconds after the traffic does."""
    run = run_nonces(daily_wave, rate=1_000, lifetime=LIFETIME, seconds=DAY, step=10)
    assert run.peak == pytest.approx(1.8 * 660_000, rel=0.01)
    assert run.live[DAY // 20 + 33] == pytest.approx(660_000, rel=0.005)
    assert run.live[DAY // 20] > 1.01 * 660_000


def test_simulations_are_reproducible() -> None:
    """The same seed gives the same results, and another seed gives others."""
    assert cached(seed=7) == cached(seed=7)
    assert cached(seed=7) != cached(seed=8)


def test_the_hit_rate_grows_with_the_lifetime_and_falls_with_the_workers() -> None:
    """This holds for the simulation and for the formula."""
    for hit_rate in (lambda **change: cached(**change).hit_rate, computed):
        assert hit_rate(lifetime=5) < hit_rate(lifetime=30) < hit_rate(lifetime=120)
        assert hit_rate(workers=40) < hit_rate(workers=10) < hit_rate(workers=2)


@pytest.mark.parametrize("change", [{}, {"workers": 2}, {"lifetime": 120.0}, {"entries": 300}, {"entries": 1_000}])
def test_formula_and_simulation_agree(change: dict[str, float]) -> None:
    """They differ by at most two points, whether entries expire or are evicted."""
    assert computed(**change) == pytest.approx(cached(**change).hit_rate, abs=0.02)


def test_a_single_token_misses_once_per_lifetime() -> None:
    """Of 1 + rate x lifetime look-ups, one is a miss."""
    assert cache_hit_rate(2.0, tokens=1, zipf=1.0, lifetime=30.0, entries=10) == pytest.approx(60 / 61)


def test_the_cache_keeps_to_its_maximum() -> None:
    """A cache for fifty entries holds at most fifty; a larger one holds those that have not expired."""
    assert cached(entries=50).remembered <= 50
    assert 50 < cached().remembered < 10_000


def test_no_entry_is_served_after_its_lifetime() -> None:
    """The oldest served entries are nearly as old as the lifetime."""
    run = cached(lifetime=5)
    assert 4.5 < run.age(0.99) <= run.age(1.0) < 5
    assert 0 <= run.age(0.0) < run.age(0.5) < run.age(0.99)


@pytest.mark.parametrize("zipf", [0.0, 0.7, 1.0, 1.3])
def test_shares_of_popularity_add_up_to_one(zipf: float) -> None:
    """The groups contain all ranks, and approximate their shares closely."""
    groups = list(popularity(50_000, zipf))
    assert sum(count for count, _ in groups) == 50_000
    assert sum(count * share for count, share in groups) == pytest.approx(1)
    assert groups[0][1] == pytest.approx(1 / sum(rank**-zipf for rank in range(1, 50_001)), rel=0.001)


def test_batches_grow_with_the_round_trip() -> None:
    """A batch has at least one nonce, more with a longer round trip, fewer with more shards."""
    assert batch_size(1_000, 10, 1, 500) == 1
    assert batch_size(1_000, 1, 1, 80_000) == 80
    assert batch_size(1_000, 1, 4, 80_000) == 20


def test_the_octets_of_a_nonce_are_those_on_the_wire() -> None:
    """A nonce takes one SET command, and its part of what a batch shares."""
    command = b"*6\r\n$3\r\nSET\r\n$24\r\noauth1:n0123456789abcdef\r\n$1\r\n1\r\n$2\r\nNX\r\n$2\r\nEX\r\n$3\r\n660\r\n"
    assert nonce_octets(1e9, LIFETIME) == pytest.approx(len(command))
    assert nonce_octets(1, LIFETIME) > nonce_octets(10, LIFETIME) > len(command)


def test_ten_times_the_requests_need_ten_times_as_much() -> None:
    """Workers, nonces and memory grow with the rate, and shards above the minimum of a Cluster."""
    few, many = size(100_000, Assumptions()), size(1_000_000, Assumptions())
    assert many.workers == pytest.approx(10 * few.workers, rel=0.01)
    assert many.live == 10 * few.live
    assert many.gigabytes == pytest.approx(10 * few.gigabytes)
    assert many.shards >= 10 * few.shards_for_cpu - 1
    assert size(100, Assumptions()).shards == 1


def test_a_shard_is_no_busier_than_planned() -> None:
    """The planned utilisation holds for any size of batches."""
    for given in (Assumptions(), Assumptions(round_trip_us=100_000), Assumptions(redis_call_us=100)):
        need = size(500_000, given)
        assert need.rate / need.shards * need.redis_us / 1e6 <= given.utilisation


def test_measured_figures_replace_assumed_ones() -> None:
    """The CPU time comes from the fixed rate, and that of cold credentials from the difference to warm ones."""
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
    """Putting a table a second time changes nothing, and an unknown table is refused."""
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
def test_the_command_names_the_source_of_its_figures(
    options: list[str], cpu: str, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An option overrides a measured figure, and is then listed as assumed."""
    file = tmp_path / "results.json"
    file.write_text(json.dumps(results()), encoding="utf-8")
    monkeypatch.setattr(scaling, "RESULTS", file)
    monkeypatch.setattr(scaling, "tables", lambda given, sources, **_: list(tables(given, sources, seconds=1.0))[:1])
    app = typer.Typer()
    app.command()(main)
    result = CliRunner().invoke(app, [*options, "--tokens", "1000", "--cache-lifetime", "1"])
    assert result.exit_code == 0, result.output
    assert f"| CPU time of a request, credentials cached | {cpu} | {source}" in result.output


def test_more_tokens_make_more_look_ups() -> None:
    """This holds at the same rate and lifetime."""
    assert size(1_000, replace(SMALL, tokens=100)).look_ups < size(1_000, SMALL).look_ups
