"""What a launch says."""

from __future__ import annotations

import pytest

from async_oauth1.lti import Outcome

from .consumer import BASIC, KEY, SECRET, Tool, launched


def test_attributes_are_the_parameters() -> None:
    """Attributes have short names, and ``fields`` has everything that was signed by its own name."""
    fields = {
        **BASIC,
        "context_title": "Dürer & Söhne",
        "lis_outcome_service_url": "/grades",
        "lis_result_sourcedid": "a:b",
        "launch_presentation_return_url": "https://lms.example/back",
        "launch_presentation_locale": "de-DE",
        "ext_lti_assignment_id": "as-1",
        "context_id_history": "c1, c2",
        "resource_link_id_history": "r1",
        "role_scope_mentor": "u%2C1,u2",
        "custom_Chapter": "12",
        "custom_": "nameless",
        "unheard_of": "kept",
    }
    launch = Tool().verify(launched(fields))
    assert (launch.user_id, launch.context_id, launch.resource_link_id) == ("user-1", "context-1", "link-1")
    assert launch.fields["context_title"] == launch.context_title == "Dürer & Söhne"
    assert (launch.locale, launch.return_url) == ("de-DE", "https://lms.example/back")
    assert (launch.outcome_service_url, launch.result_sourcedid) == ("/grades", "a:b")
    assert launch.outcome == Outcome(KEY, "https://lms.example/grades", "a:b")
    assert launch.assignment_id == "as-1"
    assert launch.context_id_history == ("c1", "c2")
    assert launch.resource_link_id_history == ("r1",)
    assert launch.role_scope_mentor == ("u,1", "u2")
    assert launch.custom == {"Chapter": "12", "": "nameless"}
    assert launch.ext == {"lti_assignment_id": "as-1"}
    assert launch.fields["unheard_of"] == "kept"
    assert launch.consumer_key == KEY
    assert launch.consumer.client_id == KEY
    assert launch.user_key == (KEY, "user-1")
    assert "oauth_signature" not in launch.fields


@pytest.mark.parametrize("user", [{}, {"user_id": ""}])
def test_what_was_not_sent_is_none(user: dict[str, str]) -> None:
    """An anonymous launch has no user key, so that anonymous users are never one user."""
    fields = {name: value for name, value in BASIC.items() if name not in ("user_id", "roles")}
    launch = Tool().verify(launched({**fields, **user}))
    assert launch.user_id is None
    assert launch.user_key is None
    assert launch.outcome is None
    assert launch.context_title is None
    assert launch.context_id_history is None
    assert launch.roles == frozenset()
    assert launch.custom == {}


def test_a_launch_does_not_show_people() -> None:
    """The representation has neither names nor secrets, and cannot forge a line of a log."""
    launch = Tool().verify(launched({**BASIC, "lis_person_name_full": "Jane Roe", "resource_link_id": "a\nb"}))
    shown = repr(launch)
    assert "Jane" not in shown
    assert SECRET not in shown
    assert "\n" not in shown


def test_the_query_of_the_launch_url_counts() -> None:
    """Parameters in the query are signed, and so they are fields."""
    launch = Tool().verify(launched(url="https://tool.example/launch?custom_page=3"))
    assert launch.custom == {"page": "3"}
