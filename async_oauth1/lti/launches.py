"""Launch: what a consumer has said in a launch that was verified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote, urljoin

from .outcomes import Outcome
from .roles import Role, parse_roles
from .urls import is_web_url

__all__ = ["Launch"]


class _Parameter:
    """An attribute that is the value of a parameter; ``None`` if it was not sent, or is empty."""

    def __init__(self, name: str | None = None) -> None:
        """Read the parameter of this name, or else of the attribute's."""
        self._name = name

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = self._name or name

    def __get__(self, launch: Any, owner: type | None = None) -> str | None:
        if launch is None:
            raise AttributeError(self._name)
        fields: Mapping[str, str] = launch.fields
        return fields.get(self._name or "") or None


@dataclass(frozen=True, eq=False)
class Launch:
    """A verified launch. What was not sent is ``None``, ``user_id`` of an anonymous launch included.

    Attributes:
        fields: everything that was signed, by its own name, unknown parameters included.
        consumer: what the hook ``query_consumer`` has returned.
    """

    fields: Mapping[str, str] = field(repr=False)
    consumer: Any = field(repr=False)

    message_type = _Parameter("lti_message_type")
    version = _Parameter("lti_version")
    user_id = _Parameter()
    user_image = _Parameter()
    full_name = _Parameter("lis_person_name_full")
    given_name = _Parameter("lis_person_name_given")
    family_name = _Parameter("lis_person_name_family")
    email = _Parameter("lis_person_contact_email_primary")
    person_sourcedid = _Parameter("lis_person_sourcedid")
    context_id = _Parameter()
    context_type = _Parameter()
    context_title = _Parameter()
    context_label = _Parameter()
    course_section_sourcedid = _Parameter("lis_course_section_sourcedid")
    course_offering_sourcedid = _Parameter("lis_course_offering_sourcedid")
    resource_link_id = _Parameter()
    resource_link_title = _Parameter()
    resource_link_description = _Parameter()
    outcome_service_url = _Parameter("lis_outcome_service_url")
    result_sourcedid = _Parameter("lis_result_sourcedid")
    assignment_id = _Parameter("ext_lti_assignment_id")
    return_url = _Parameter("launch_presentation_return_url")
    locale = _Parameter("launch_presentation_locale")
    document_target = _Parameter("launch_presentation_document_target")
    css_url = _Parameter("launch_presentation_css_url")
    width = _Parameter("launch_presentation_width")
    height = _Parameter("launch_presentation_height")
    tool_consumer_info_product_family_code = _Parameter()
    tool_consumer_info_version = _Parameter()
    tool_consumer_instance_guid = _Parameter()
    tool_consumer_instance_name = _Parameter()
    tool_consumer_instance_description = _Parameter()
    tool_consumer_instance_url = _Parameter()
    tool_consumer_instance_contact_email = _Parameter()
    content_item_return_url = _Parameter()
    accept_media_types = _Parameter()
    accept_presentation_document_targets = _Parameter()
    relaunch_url = _Parameter()
    platform_state = _Parameter()
    tool_state = _Parameter()

    @property
    def consumer_key(self) -> str:
        """``oauth_consumer_key``."""
        return self.fields["oauth_consumer_key"]

    @property
    def user_key(self) -> tuple[str, str] | None:
        """What identifies the user: the consumer's key and ``user_id``, which is unique within one consumer only.

        ``None`` for an anonymous launch: anonymous users are not one user.
        """
        return (self.consumer_key, self.user_id) if self.user_id else None

    @cached_property
    def roles(self) -> frozenset[Role]:
        """The roles; empty if none were sent."""
        return parse_roles(self.fields.get("roles"))

    @property
    def is_instructor(self) -> bool:
        """Whether the user has the context role Instructor. An institution's Instructor teaches some other course."""
        return any(role.kind == "context" and role.name == "Instructor" for role in self.roles)

    @property
    def is_learner(self) -> bool:
        """Whether the user has the context role Learner, or Student, as Open edX says."""
        return any(role.kind == "context" and role.name in ("Learner", "Student") for role in self.roles)

    @property
    def is_admin(self) -> bool:
        """Whether the user is an Administrator of the context, the institution or the system, or its SysAdmin."""
        return any(
            role.kind is not None
            and (role.name == "Administrator" or (role.kind == "system" and role.name == "SysAdmin"))
            for role in self.roles
        )

    @cached_property
    def custom(self) -> Mapping[str, str]:
        """The parameters ``custom_*``, without their prefix."""
        return self._with_prefix("custom_")

    @cached_property
    def ext(self) -> Mapping[str, str]:
        """The parameters ``ext_*``, without their prefix."""
        return self._with_prefix("ext_")

    @property
    def context_id_history(self) -> tuple[str, ...] | None:
        """The ``context_id`` of the courses that this one was copied from, the latest first."""
        return self._list("context_id_history")

    @property
    def resource_link_id_history(self) -> tuple[str, ...] | None:
        """The ``resource_link_id`` of the links that this one was copied from, the latest first."""
        return self._list("resource_link_id_history")

    @property
    def role_scope_mentor(self) -> tuple[str, ...] | None:
        """The ``user_id`` of each user whom this one is a mentor of."""
        users = self._list("role_scope_mentor")
        return None if users is None else tuple(unquote(user) for user in users)

    @property
    def outcome(self) -> Outcome | None:
        """Where the user's grade goes; ``None`` if the launch allows none, as those of instructors."""
        if not (self.outcome_service_url and self.result_sourcedid):
            return None
        return Outcome(self.consumer_key, self._absolute(self.outcome_service_url), self.result_sourcedid)

    def __repr__(self) -> str:
        """Show the consumer and the link: names and addresses of people do not belong into a log."""
        return f"<Launch {self.message_type!a} of {self.consumer_key!a}, link {self.resource_link_id!a}>"

    def _absolute(self, url: str) -> str:
        """A URL that some consumers send without their host, which is that of the URLs they send browsers back to."""
        for base in (self.return_url, self.tool_consumer_instance_url):
            if base and is_web_url(base) and not is_web_url(url):
                return urljoin(base, url)
        return url

    def _with_prefix(self, prefix: str) -> Mapping[str, str]:
        found = {name.removeprefix(prefix): value for name, value in self.fields.items() if name.startswith(prefix)}
        return MappingProxyType(found)

    def _list(self, name: str) -> tuple[str, ...] | None:
        if not (text := self.fields.get(name)):
            return None
        return tuple(part for piece in text.split(",") if (part := piece.strip()))
