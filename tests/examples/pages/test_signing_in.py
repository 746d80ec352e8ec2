"""Signing in and out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import httpx2
import pytest

from examples.photos.sessions import local_page
from tests.examples.jane import Jane
from tests.examples.running import Photos, photos


@pytest.mark.rfc5849("2.2/identity")
def test_a_page_needs_a_session(provider: Photos) -> None:
    """The redirect to the sign-in page leads back to the page."""
    with Jane(provider.url) as browser:
        asked = browser.get("/")
        assert (asked.status_code, asked.headers["Location"]) == (302, "/login?next=%2F")
        assert browser.sign_in(next="/").headers["Location"] == "/"
        assert browser.get("/").status_code == 200


ELSEWHERE = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/%09/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r\nSet-Cookie: a=b",
    "https:evil.example",
    "https://evil.example/",
    "http://127.0.0.1@evil.example/",
    "javascript:alert(1)",
    "evil.example",
    " //evil.example",
    "/ /evil.example",
    "/./\\evil.example",
    "/.//evil.example",
    "/login/../..//evil.example",
    "\N{FULLWIDTH SOLIDUS}\N{FULLWIDTH SOLIDUS}evil.example",
    "/\N{FRACTION SLASH}evil.example",
    "/\u2028/evil.example",
    "/%0d%0aSet-Cookie:%20a=b",
    "?next=//evil.example",
    "#//evil.example",
    "/#@evil.example",
    "/\x00/evil.example",
    "/" + "a" * 10_000,
    "/" + "/a" * 5_000,
    "",
]


@pytest.mark.parametrize("target", ELSEWHERE, ids=lambda target: ascii(target[:30]))
def test_other_targets_lead_to_the_home_page(target: str) -> None:
    """This holds for every target that a browser could read as another site."""
    assert local_page(target) == "/"


@pytest.mark.parametrize("target", ["/", "/authorize?oauth_token=a%2Fb", "/authorize?oauth_token=//evil.example"])
def test_a_page_of_this_site_is_kept(target: str) -> None:
    """The query may contain anything."""
    assert local_page(target) == target


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "/\r\nSet-Cookie: a=b", "https:evil.example"])
@pytest.mark.parametrize("place", ["query", "form"])
def test_next_never_leaves_the_site(provider: Photos, target: str, place: str) -> None:
    """This holds for the query and for the form."""
    with Jane(provider.url) as browser:
        page = f"/login?next={quote(target)}"
        assert "evil" not in browser.get(page).text
        fields = {"csrf_token": browser.csrf_token(page), "username": "jane", "password": "wonderland"}
        if place == "form":
            page, fields = "/login", {**fields, "next": target}
        answer = browser.http.post(page, data=fields)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert list(answer.cookies) == ["photos_session"]


def test_an_absolute_next_is_ignored(provider: Photos) -> None:
    """This also holds for a URL of this site."""
    with Jane(provider.url) as browser:
        assert browser.sign_in(next=f"{provider.url}/authorize").headers["Location"] == "/"


def test_signing_in_begins_a_new_session(provider: Photos) -> None:
    """A session cookie that an attacker planted before is not signed in."""
    with Jane(provider.url) as attacker, Jane(provider.url) as jane:
        attacker.get("/login")
        planted, token = attacker.cookie, attacker.csrf_token()
        jane.http.cookies.set("photos_session", planted, domain="127.0.0.1")
        fields = {"csrf_token": token, "username": "jane", "password": "wonderland"}
        assert jane.http.post("/login", data=fields).status_code == 302
        assert jane.cookie != planted
        assert jane.get("/").status_code == 200
        assert attacker.get("/").status_code == 302
        assert jane.post("/logout", csrf_token=token).status_code == 400


def test_a_cookie_is_invalid_after_signing_out(jane: Jane, provider: Photos) -> None:
    """This also holds for a copy of the cookie."""
    kept = jane.cookie
    assert jane.post("/logout", page="/").status_code == 302
    for cookie in (kept, kept[:-1] + ("A" if kept[-1] != "A" else "B"), "x", ""):
        answer = httpx2.get(f"{provider.url}/", cookies={"photos_session": cookie})
        assert answer.status_code == 302
    assert jane.get("/").status_code == 302


def test_signing_out_ends_one_session(provider: Photos, jane: Jane) -> None:
    """A session in another browser continues."""
    with Jane(provider.url) as elsewhere:
        elsewhere.sign_in()
        jane.post("/logout", page="/")
        assert elsewhere.get("/").status_code == 200


def test_the_cookie_has_safe_attributes(provider: Photos) -> None:
    """Scripts cannot read it, and forms of other sites do not send it."""
    with Jane(provider.url) as browser:
        flags = browser.sign_in().headers["Set-Cookie"].lower()
    assert "httponly" in flags
    assert "samesite=lax" in flags
    assert "secure" not in flags
    assert "domain" not in flags


def test_the_cookie_is_secure_behind_https() -> None:
    """The pages are served although the proxy connects over plain http."""
    with (
        photos("--external-base-url", "https://photos.example.net") as running,
        httpx2.Client(base_url=running.url, headers={"Host": "photos.example.net"}) as browser,
    ):
        answer = browser.get("/login")
        assert answer.status_code == 200
        assert "secure" in answer.headers["Set-Cookie"].lower()


def test_pages_are_refused_over_plain_http(provider: Photos) -> None:
    """On loopback they are not. The health check contains no secret, and is answered."""
    answers = {
        path: httpx2.get(f"{provider.url}{path}", headers={"Host": "photos.example.net"}).status_code
        for path in ("/", "/login", "/authorize?oauth_token=x", "/health")
    }
    assert answers == {"/": 400, "/login": 400, "/authorize?oauth_token=x": 400, "/health": 200}


def test_wrong_passwords_do_not_lock_a_user_out() -> None:
    """After several wrong passwords at once, the right one still works."""
    with photos() as running, Jane(running.url) as jane, ThreadPoolExecutor(6) as pool:
        token = jane.csrf_token()
        cookies = {"photos_session": jane.cookie}

        def attempt(password: str) -> int:
            fields = {"csrf_token": token, "username": "jane", "password": password}
            answer = httpx2.post(f"{running.url}/login", data=fields, cookies=cookies, timeout=60)
            return answer.status_code

        assert set(pool.map(attempt, [f"guess {number}" for number in range(6)])) == {403}
        assert attempt("wonderland") == 302


def test_an_unknown_name_is_answered_like_a_wrong_password(provider: Photos) -> None:
    """The pages differ only in the name."""
    with Jane(provider.url) as browser:
        pages = [browser.sign_in("wrong", username=name).text.replace(name, "NAME") for name in ("jane", "nobody")]
        browser.sign_in()
        tokens = [page.split('name="csrf_token" value="')[1].split('"')[0] for page in pages]
    assert pages[0].replace(tokens[0], "") == pages[1].replace(tokens[1], "")


@pytest.mark.parametrize(
    "name", ["", "\N{SNOWMAN}", "jane\n", "JANE", " jane", "<script>", "x" * 10_000, "' OR 1=1 --"]
)
def test_an_unknown_name_is_refused(provider: Photos, name: str) -> None:
    """The name is escaped on the page."""
    with Jane(provider.url) as browser:
        answer = browser.sign_in("wonderland", username=name)
    assert answer.status_code == 403
    assert "<script>" not in answer.text


@pytest.mark.parametrize("password", ["", "wonderland ", "Wonderland", "wonderland\r\n", "\N{SNOWMAN}" * 5_000])
def test_a_similar_password_is_refused(provider: Photos, password: str) -> None:
    """Passwords are not trimmed or folded."""
    with Jane(provider.url) as browser:
        assert browser.sign_in(password).status_code == 403
        assert browser.sign_in().status_code == 302
