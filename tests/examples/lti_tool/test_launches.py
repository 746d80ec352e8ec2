"""The example of a learning tool: its sessions, and how it refuses launches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html import unescape

import pytest
import requests

from examples.lti_tool.settings import read_settings
from tests.examples.running import PATIENCE, run

from .demo import Demo, fields, lti_demo

#: What goes wrong with a launch, and its cause.
CAUSES = [
    ("query", "repeated"),
    ("slash", "path_trailing_slash"),
    ("proxy", "scheme"),
    ("clock", "timestamp_clock"),
    ("key", "credentials"),
]


@pytest.fixture(scope="module")
def debugged() -> Iterator[Demo]:
    """The demo as `make lti-demo` runs it."""
    with lti_demo("--debug") as demo:
        yield demo


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """The demo as it would run in production."""
    with lti_demo() as demo:
        yield demo


@pytest.mark.parametrize(("fault", "cause"), CAUSES)
def test_the_cause_of_a_refusal(fault: str, cause: str, debugged: Demo, demo: Demo) -> None:
    """The page has it in debug mode only, and the log in any case. No page follows a URL that is not signed."""
    shown, hidden = debugged.launch(fault=fault), demo.launch(fault=fault)
    assert shown.status_code == hidden.status_code == 401
    assert f"<code>{cause}</code>" in shown.text
    assert f"<code>{cause}</code>" not in hidden.text
    assert "href" not in hidden.text
    for running in (debugged, demo):
        running.logged("Explained: ")
        running.logged(cause)


def test_a_wrong_secret_looks_like_an_unknown_key(demo: Demo) -> None:
    """The pages are the same."""
    assert demo.launch(fault="secret").text == demo.launch(fault="key").text


def test_a_launch_that_was_used_before(demo: Demo) -> None:
    """The page says so, and has a link back to the course."""
    assert demo.launch().status_code == 200
    again = demo.launch(fault="used")
    assert again.status_code == 401
    assert "This launch was used before" in again.text
    assert f'href="{demo.course}/back"' in unescape(again.text)


def test_a_launch_that_lti_does_not_allow(demo: Demo) -> None:
    """The browser goes back to the course, which shows why."""
    refused = demo.launch(fault="link")
    assert refused.status_code == 303
    assert refused.headers["Location"].startswith(f"{demo.course}/back?lti_errormsg=")
    assert "resource_link_id" in requests.get(refused.headers["Location"], timeout=PATIENCE).text


def test_twenty_copies_of_one_launch(demo: Demo) -> None:
    """One of them opens a session."""
    url, form = demo.form()
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: requests.post(url, data=form, timeout=PATIENCE), range(20)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 401: 19}
    assert sum("Set-Cookie" in answer.headers for answer in answers) == 1


def test_the_cookie(demo: Demo) -> None:
    """Browsers send it from a frame, keep it apart for each course's site, and show it to no script."""
    cookie = demo.launch().headers["Set-Cookie"]
    name, *attributes = cookie.split("; ")
    assert {"HttpOnly", "Secure", "SameSite=None", "Partitioned", "Path=/"} < set(attributes)
    assert name.startswith("lti=")


def opened(demo: Demo, *, keep_cookies: bool) -> tuple[requests.Session, requests.Response]:
    """A browser that has opened the activity, and the page that it shows."""
    browser = requests.Session()
    launched = demo.launch()
    if keep_cookies:
        name, _, value = launched.headers["Set-Cookie"].split(";")[0].partition("=")
        browser.cookies.set(name, value)  # requests would send a Secure cookie over https only
    return browser, browser.post(f"{demo.tool}/open", data=fields(launched.text), timeout=PATIENCE)


@pytest.mark.parametrize("keep_cookies", [True, False])
def test_the_record_of_a_launch(keep_cookies: bool, demo: Demo) -> None:
    """The page shows who, in which role and which course, and what was signed, with and without cookies."""
    _, page = opened(demo, keep_cookies=keep_cookies)
    assert page.url == f"{demo.tool}/{'activity' if keep_cookies else 'open'}"
    for text in ("Jane Doe", "learns", "Botany 101", "tool_consumer_instance_guid", "botany.example"):
        assert text in page.text
    assert "oauth_signature<" not in page.text
    assert page.headers["Cache-Control"] == "no-store"


def test_a_code_works_once(demo: Demo) -> None:
    """The page that a browser's history keeps opens no second session."""
    code = fields(demo.launch().text)
    answers = [requests.post(f"{demo.tool}/open", data=code, timeout=PATIENCE).status_code for _ in range(2)]
    assert answers == [200, 403]
    assert requests.post(f"{demo.tool}/open", timeout=PATIENCE).status_code == 403


def test_a_form_of_another_site(demo: Demo) -> None:
    """It has the cookie, but no token of the page, and is refused; so is a handle without the token."""
    browser, page = opened(demo, keep_cookies=True)
    assert browser.post(f"{demo.tool}/window", data={}, timeout=PATIENCE).status_code == 403
    assert browser.post(f"{demo.tool}/window", data={"form_token": "\u00e9"}, timeout=PATIENCE).status_code == 403
    _, page = opened(demo, keep_cookies=False)
    form = dict(fields(page.text))
    without = {"session": form["session"]}
    for data, status in ((without, 403), (form, 303)):
        answer = requests.post(f"{demo.tool}/window", data=data, timeout=PATIENCE, allow_redirects=False)
        assert answer.status_code == status
    assert "Set-Cookie" in answer.headers


def test_without_a_session(demo: Demo) -> None:
    """The pages say that the activity has to be opened again."""
    for cookie in ("", "lti=", "lti=unknown"):
        page = requests.get(f"{demo.tool}/activity", headers={"Cookie": cookie}, timeout=PATIENCE)
        assert page.status_code == 403
        assert "Open the activity again" in page.text


def test_the_course_knows_its_people_and_faults(demo: Demo) -> None:
    """Others are not found."""
    for query in ({"person": "eve"}, {"person": "jane", "fault": "eve"}, {}):
        assert requests.get(f"{demo.course}/launch", params=query, timeout=PATIENCE).status_code == 404


@pytest.mark.parametrize("arguments", [("--tool-only",), ("--store", "sqlite:///tool.db")])
def test_a_secret_that_must_last(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Workers and a lasting store need the secret from the environment; the error says so."""
    monkeypatch.delenv("LTI_DEMO_SECRET", raising=False)
    with pytest.raises(SystemExit) as ended:
        read_settings(arguments)
    assert ended.value.code == 2
    assert "set LTI_DEMO_SECRET" in capsys.readouterr().err
    assert read_settings([]).secret != read_settings([]).secret


def test_a_port_that_is_in_use(demo: Demo) -> None:
    """The error is one line."""
    ended = run("examples.lti_tool", "--port", demo.tool.rsplit(":", 1)[1])
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert "cannot listen" in ended.stderr
