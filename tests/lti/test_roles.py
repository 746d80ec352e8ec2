"""Roles in every spelling."""

from __future__ import annotations

import pytest

from async_oauth1.lti import Launch, Role, parse_roles

LIS = "http://purl.imsglobal.org/vocab/lis/v2"


@pytest.mark.parametrize(
    ("text", "kind", "name", "sub_role"),
    [
        ("Instructor", "context", "Instructor", None),
        ("instructor", "context", "Instructor", None),
        ("Student", "context", "Student", None),
        ("Instructor/GuestInstructor", "context", "Instructor", "GuestInstructor"),
        ("urn:lti:role:ims/lis/Instructor", "context", "Instructor", None),
        ("URN:LTI:ROLE:IMS/LIS/INSTRUCTOR", "context", "Instructor", None),
        ("urn:lti:role:ims/lis/TeachingAssistant/Grader", "context", "TeachingAssistant", "Grader"),
        ("urn:lti:role:ims/lis/Learner/Instructor", "context", "Learner", "Instructor"),
        ("urn:lti:role:Learner", "context", "Learner", None),
        ("urn:lti:instrole:ims/lis/Student", "institution", "Student", None),
        ("urn:lti:sysrole:ims/lis/SysAdmin", "system", "SysAdmin", None),
        (f"{LIS}/membership#Instructor", "context", "Instructor", None),
        (f"{LIS}/membership/Instructor#TeachingAssistant", "context", "Instructor", "TeachingAssistant"),
        (f"{LIS}/institution/person#Administrator", "institution", "Administrator", None),
        (f"{LIS}/person#Student", "institution", "Student", None),
        (f"{LIS}/system/person#SysAdmin", "system", "SysAdmin", None),
        ("http://purl.imsglobal.org/vocab/lti/system/person#TestUser", "system", "TestUser", None),
        (f"urn:lti:instrole:{LIS}/institution/person#Student", "institution", "Student", None),
        # The two halves say different things, so it is neither.
        (f"urn:lti:instrole:{LIS}/membership#Instructor", None, "Instructor", None),
        ("Wizard", None, "Wizard", None),
        ("NonInstructor", None, "NonInstructor", None),
        ("urn:example:Instructor", None, "urn:example:Instructor", None),
        ("https://evil.example/vocab/lis/v2/membership#Instructor", None, None, None),
    ],
)
def test_one_role(text: str, kind: str | None, name: str | None, sub_role: str | None) -> None:
    """The kind comes from the vocabulary, known names have its spelling, and the text is kept."""
    assert parse_roles(text) == {Role(kind, name or text, sub_role, text)}  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["Learner,Mentor", "Learner, Mentor", " Learner ,, Mentor,"])
def test_commas_with_and_without_blanks(text: str) -> None:
    """Roles are separated by commas; what is empty between them is no role."""
    assert {role.text for role in parse_roles(text)} == {"Learner", "Mentor"}


@pytest.mark.parametrize("text", [None, "", " , "])
def test_no_roles(text: str | None) -> None:
    """No roles, or an empty list, is no error."""
    assert parse_roles(text) == frozenset()


@pytest.mark.parametrize(
    ("roles", "instructor", "learner", "admin"),
    [
        ("Instructor", True, False, False),
        ("urn:lti:instrole:ims/lis/Instructor", False, False, False),
        ("urn:lti:instrole:ims/lis/Student", False, False, False),
        ("Student", False, True, False),
        (f"{LIS}/membership#Learner", False, True, False),
        ("urn:lti:role:ims/lis/Learner/Instructor", False, True, False),
        ("Administrator", False, False, True),
        ("urn:lti:instrole:ims/lis/Administrator", False, False, True),
        ("urn:lti:sysrole:ims/lis/SysAdmin", False, False, True),
        ("urn:lti:role:ims/lis/SysAdmin", False, False, False),
        ("SysAdmin", False, False, False),
        ("NonInstructor,Learners,Administrators", False, False, False),
        ("Instructor, Learner", True, True, False),
        ("", False, False, False),
    ],
)
def test_what_a_user_is(roles: str, instructor: bool, learner: bool, admin: bool) -> None:
    """Only context roles make instructors and learners, any Administrator an administrator, and no substring counts."""
    launch = Launch({"roles": roles}, None)
    assert (launch.is_instructor, launch.is_learner, launch.is_admin) == (instructor, learner, admin)
