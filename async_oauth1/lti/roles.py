"""The roles of a launch, in every spelling that consumers use (LTI 1.1.1, appendix A; LTI 1.3, appendix A.2)."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, TypeAlias

__all__ = ["Role", "RoleKind", "parse_roles"]

#: What a role is about: the course, the institution, or the consumer itself.
RoleKind: TypeAlias = Literal["context", "institution", "system"]

_URN = re.compile(r"urn:lti:(role|instrole|sysrole):(.*)", re.IGNORECASE | re.DOTALL)
_URN_KINDS: dict[str, RoleKind] = {"role": "context", "instrole": "institution", "sysrole": "system"}
# The vocabulary's name in a URN, as in urn:lti:role:ims/lis/Instructor.
_VOCABULARY = re.compile(r"ims/[a-z]+/", re.IGNORECASE)
# .../vocab/lis/v2/membership#Instructor, .../membership/Instructor#Grader, .../institution/person#Student
_URL = re.compile(
    r"https?://purl\.imsglobal\.org/vocab/l(?:is|ti)/(?:v\d+/)?"
    r"(membership|institution/person|system/person|person)(?:/([^#/]+))?#(.+)",
    re.IGNORECASE | re.DOTALL,
)
_URL_KINDS: dict[str, RoleKind] = {
    "membership": "context",
    "institution/person": "institution",
    "person": "institution",
    "system/person": "system",
}
# The context roles, which need no URN. "Student" is an institution's role, but Open edX sends it for Learner.
_CONTEXT_ROLES = (
    "Learner",
    "Instructor",
    "ContentDeveloper",
    "Member",
    "Manager",
    "Mentor",
    "Administrator",
    "TeachingAssistant",
    "Student",
)
_OTHER_ROLES = (
    "Faculty",
    "Staff",
    "Alumni",
    "ProspectiveStudent",
    "Guest",
    "Other",
    "Observer",
    "None",
    "SysAdmin",
    "SysSupport",
    "Creator",
    "AccountAdmin",
    "User",
    "TestUser",
    "Officer",
)
_SPELLINGS = {name.lower(): name for name in (*_CONTEXT_ROLES, *_OTHER_ROLES)}
_SHORT_NAMES = {name.lower() for name in _CONTEXT_ROLES}


class Role(NamedTuple):
    """One role.

    Attributes:
        kind: ``context``, ``institution`` or ``system``; ``None`` if it is from no vocabulary of LTI.
        name: such as ``Instructor``; known names in the spelling of the vocabulary, whatever case was sent.
        sub_role: such as ``TeachingAssistant``; ``None`` for a role without one.
        text: as it was sent, without blanks around it.
    """

    kind: RoleKind | None
    name: str
    sub_role: str | None
    text: str


def parse_roles(text: str | None) -> frozenset[Role]:
    """The roles in the parameter ``roles``.

    Args:
        text: separated by commas, with or without blanks; ``None`` or empty for none.
    """
    return frozenset(_parse(part) for piece in (text or "").split(",") if (part := piece.strip()))


def _parse(text: str) -> Role:
    if match := _URN.fullmatch(text):
        kind = _URN_KINDS[match[1].lower()]
        rest = match[2]
        if inner := _URL.fullmatch(rest):  # a URN with a URL inside
            role = _of_url(inner, text)
            return role if role.kind == kind else role._replace(kind=None)
        name = _VOCABULARY.sub("", rest, count=1) if _VOCABULARY.match(rest) else rest
        return _named(kind, name, text)
    if match := _URL.fullmatch(text):
        return _of_url(match, text)
    role = _named("context", text, text)
    return role if role.name.lower() in _SHORT_NAMES else Role(None, text, None, text)


def _named(kind: RoleKind, name: str, text: str) -> Role:
    """A role that is written ``Name`` or ``Name/SubRole``."""
    role, _, sub_role = name.partition("/")
    return Role(kind, _spelling(role), sub_role or None, text)


def _of_url(match: re.Match[str], text: str) -> Role:
    kind = _URL_KINDS[match[1].lower()]
    if match[2]:
        return Role(kind, _spelling(match[2]), match[3], text)
    return Role(kind, _spelling(match[3]), None, text)


def _spelling(name: str) -> str:
    return _SPELLINGS.get(name.lower(), name)
