"""The fixture `oauth1_server` in projects of client authors."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import pytest

pytest_plugins = ["pytester"]

PLUGIN = "async_oauth1.testing.plugin"
#: The documentation's example, with requests-oauthlib for the client that is tested.
TEST = """
import asyncio
import pytest
import requests
from requests_oauthlib import OAuth1

def test_my_client(oauth1_server):
    keys = oauth1_server.client()
    auth = OAuth1(keys.client_id, keys.client_secret)
    answer = requests.get(oauth1_server.url + "/signed", auth=auth)
    assert answer.status_code == 200, oauth1_server.requests[-1]

@pytest.mark.parametrize("number", range(3))
def test_each_test_has_its_own(oauth1_server, number):
    assert oauth1_server.requests == []
    assert requests.get(oauth1_server.url + "/signed").status_code == 401
    assert [one.error for one in oauth1_server.requests] == ["unsigned_request"]

@pytest.mark.oauth1_server(like="jira", consent="ask", user="bob")
def test_options(oauth1_server):
    assert oauth1_server.client().rsa_private_key

def test_async(oauth1_server):
    async def run():
        keys = oauth1_server.client()
        auth = OAuth1(keys.client_id, "wrong")
        answer = await asyncio.to_thread(requests.get, oauth1_server.url + "/signed?a=1", auth=auth)
        assert answer.status_code == 401
        assert not oauth1_server.requests[0].accepted
    asyncio.run(run())
"""


def arguments(*more: str) -> list[str]:
    """The arguments of pytest, with the plugin if this environment's metadata does not name it yet."""
    installed = any(one.value == PLUGIN for one in entry_points(group="pytest11"))
    others = ("cacheprovider", "asyncio", "faker", "pytest_flask_dance", "valkey")  # some of them take a second
    without = [f"-pno:{name}" for name in others]
    return [*([] if installed else ["-p", PLUGIN]), "-W", "error", *without, *more]


@pytest.mark.parametrize("more", [(), ("-n", "2", "--strict-markers", "--import-mode=importlib")])
def test_a_small_project(pytester: pytest.Pytester, more: tuple[str, ...]) -> None:
    """It works with warnings as errors, and in several workers of xdist."""
    pytester.makepyfile(TEST)
    pytester.runpytest_subprocess(*arguments(*more)).assert_outcomes(passed=6)


def test_a_refusal_is_told_in_the_failure(pytester: pytest.Pytester) -> None:
    """The message of the failed assertion has the cause."""
    pytester.makepyfile(TEST.replace("keys.client_secret)", "keys.client_secret + ' ')"))
    result = pytester.runpytest_subprocess(*arguments("-k", "my_client", "-vv"))
    result.assert_outcomes(failed=1, deselected=5)
    result.stdout.fnmatch_lines(["*secret_whitespace*"])


def test_without_the_plugin_pytest_works(pytester: pytest.Pytester) -> None:
    """`-p no:` takes the fixture away, and nothing else."""
    pytester.makepyfile("def test_other(): pass")
    pytester.runpytest_subprocess("-p", "no:async-oauth1", "-p", "no:asyncio").assert_outcomes(passed=1)


def test_mistakes_are_told_in_one_sentence(pytester: pytest.Pytester) -> None:
    """An unknown provider to imitate, and an argument without a name."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.oauth1_server(like="facebook")
        def test_unknown(oauth1_server): pass

        @pytest.mark.oauth1_server("jira")
        def test_positional(oauth1_server): pass
        """
    )
    result = pytester.runpytest_subprocess(*arguments())
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*facebook*known are woocommerce*", "*takes keyword arguments*"])


def test_the_plugin_imports_nothing_heavy() -> None:
    """Before a test asks for the fixture, no framework, server, driver or library of cryptography is imported."""
    program = f"import sys, {PLUGIN}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert not {"quart", "hypercorn", "authlib", "cryptography", "werkzeug", "asyncio", "typer"} & set(
        done.stdout.split()
    )
