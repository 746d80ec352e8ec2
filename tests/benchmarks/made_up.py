"""Made-up results of a run."""

from __future__ import annotations

from typing import Any

ENVIRONMENT = {"CPU": "2 cores, imagined", "Python": "CPython 3.11"}


def burst(rate: float, cpu: float, p99: float = 20.0) -> dict[str, Any]:
    return {
        "requests": int(rate * 2),
        "seconds": 2.0,
        "p50": 10.0,
        "p99": p99,
        "not_ok": 0,
        "socket_errors": 0,
        "cpu": cpu,
        "rate": rate,
    }


def duel(key: str, sides: list[str], connections: int = 64) -> dict[str, Any]:
    bursts = [[burst(2000 + n, 400 + n), burst(1000 + n, 800 + n)] for n in range(7)]
    return {"key": key, "title": key, "connections": connections, "sides": sides, "bursts": bursts}


def verify_case(name: str) -> dict[str, Any]:
    times = {"async-oauth1": 10.0, "Authlib": 70.0, "oauthlib": 79.0, "bare primitive": 2.0}
    return {"case": name, "title": f"the {name}", "microseconds": {name: [time] * 5 for name, time in times.items()}}


def pace(title: str, *rates: float) -> dict[str, Any]:
    bursts = [[burst(rates[0], 500, 10.0), burst(rates[1], 600, 12.0)] for _ in range(7)]
    return {"title": title, "rates": list(rates), "bursts": bursts}


def bad_kind(key: str) -> dict[str, Any]:
    return {
        "key": key,
        "title": f"{key} requests",
        "good_rate": 600.0,
        "refused_per_second": 900.0,
        "left_behind": 0,
        "memory": [50 * 2**20, 51 * 2**20],
        "bursts": [[burst(600, 500, 10.0), burst(590, 700, 15.0)] for _ in range(5)],
    }


def framework_line(reader: str) -> dict[str, Any]:
    cpu = {"/albums": [50.0] * 11, "/photos": [80.0] * 11}
    if reader == "native":
        cpu |= {"/authlib": [170.0] * 11, "/oauthlib": [260.0] * 11}
    return {"server": "uvicorn", "application": "bare ASGI", "reader": reader, "cpu": cpu}


def results() -> dict[str, Any]:
    """Results of every part."""
    serving = {
        "duels": [
            duel("memory-warm", ["unprotected", "memory, warm"]),
            duel("memory-warm-python", ["unprotected", "memory, warm, in Python"]),
            duel("redis-warm", ["unprotected", "Redis + PostgreSQL, warm"]),
            duel("redis-warm", ["unprotected", "Redis + PostgreSQL, warm"], 1_000),
            duel("flask", ["async-oauth1, Redis + PostgreSQL", "Authlib on Flask"]),
            duel("refusal", ["unprotected", "bad signature refused"]),
        ],
        "pacing": {
            "connections": 1_000,
            "sides": ["unprotected", "Redis + PostgreSQL, warm"],
            "paces": [pace("each at its own", 800.0, 600.0), pace("both at the same", 600.0, 600.0)],
        },
        "bad_input": [bad_kind("slow"), bad_kind("signature")],
    }
    growth = [{"key": "nonces", "title": "Live nonces", "columns": ["nonces", "us"], "rows": [[1000, None], [10, 1.5]]}]
    frameworks = {"lines": [framework_line("native"), framework_line("python")], "failed": ["Starlette: no"]}
    found = {
        "verify": [verify_case("header"), verify_case("form")],
        "serving": serving,
        "frameworks": frameworks,
        "growth": growth,
    }
    return {part: {"environment": ENVIRONMENT, "results": one} for part, one in found.items()}
