"""The launches of the course, and launches with a fault, to see how the tool refuses them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

from async_oauth1.lti import sign_launch

from .settings import KEY

__all__ = ["FAULTS", "PEOPLE", "Course", "Form", "Person"]

LINK = "leaf-shapes"


class Person(NamedTuple):
    """A member of the course.

    Attributes:
        name: in full.
        role: as LTI names it.
    """

    name: str
    role: str


PEOPLE: Mapping[str, Person] = {
    "jane": Person("Jane Doe", "Learner"),
    "omar": Person("Omar Haddad", "Learner"),
    "ahn": Person("Soo-ah Ahn", "Instructor"),
}


class Form(NamedTuple):
    """A form that the browser posts to the tool.

    Attributes:
        url: where to.
        fields: names and values.
    """

    url: str
    fields: list[tuple[str, str]]


@dataclass
class Course:
    """The course.

    Attributes:
        url: its own.
        launch_url: of the tool.
        secret: of its key.
        last: the form of the last launch.
    """

    url: str
    launch_url: str
    secret: str = field(repr=False)
    last: Form | None = field(default=None, repr=False)

    def launch(self, person: str, fault: str = "") -> Form:
        """The form with which a person opens the tool, with one of the `FAULTS` if it is named."""
        form = FAULTS[fault][1](self, person) if fault else self.sign(person)
        self.last = form
        return form

    def sign(
        self,
        person: str,
        *,
        url: str = "",
        key: str = KEY,
        secret: str = "",
        late: int = 0,
        leave_out: str = "",
    ) -> Form:
        """Sign a launch.

        Args:
            person: of the course.
            url: what is signed, instead of the tool's URL.
            key: the key.
            secret: instead of the course's.
            late: seconds that the clock is behind.
            leave_out: a field.
        """
        fields = {name: value for name, value in self._fields(person).items() if name != leave_out}
        target = url or self.launch_url
        signed = sign_launch(target, fields, key, secret or self.secret, now=time.time() - late)
        return Form(target, list(signed.items()))

    def _fields(self, person: str) -> dict[str, str]:
        name, role = PEOPLE[person]
        given, _, family = name.partition(" ")
        fields = {
            "lti_message_type": "basic-lti-launch-request",
            "lti_version": "LTI-1p0",
            "resource_link_id": LINK,
            "resource_link_title": "Leaf shapes",
            "context_id": KEY,
            "context_title": "Botany 101",
            "user_id": person,
            "roles": role,
            "lis_person_name_full": name,
            "lis_person_name_given": given,
            "lis_person_name_family": family,
            "launch_presentation_locale": "en",
            "launch_presentation_return_url": f"{self.url}/back",
            "tool_consumer_instance_guid": "botany.example",
        }
        if role == "Learner":
            fields["lis_outcome_service_url"] = f"{self.url}/outcomes"
            fields["lis_result_sourcedid"] = f"{LINK}:{person}"
        return fields


def _query_counted_twice(course: Course, person: str) -> Form:
    """The query is in the URL and in the form, and was signed once."""
    form = course.sign(person, url=f"{course.launch_url}?unit=3")
    return Form(form.url, [*form.fields, ("unit", "3")])


def _lost_slash(course: Course, person: str) -> Form:
    """The course has the URL with a slash at its end, and something on the way takes it off."""
    return Form(course.launch_url, course.sign(person, url=f"{course.launch_url}/").fields)


def _behind_tls(course: Course, person: str) -> Form:
    """The course signs https; a proxy ends TLS, and the tool is not told."""
    signed = urlsplit(course.launch_url)._replace(scheme="https").geturl()
    return Form(course.launch_url, course.sign(person, url=signed).fields)


#: What may be wrong with a launch: its text, and how it is made.
FAULTS: Mapping[str, tuple[str, Callable[[Course, str], Form]]] = {
    "used": ("once more, as from the history", lambda course, person: course.last or course.sign(person)),
    "query": ("with the query counted twice", _query_counted_twice),
    "slash": ("with a lost slash", _lost_slash),
    "proxy": ("through a proxy that ends TLS", _behind_tls),
    "clock": ("with a clock two hours slow", lambda course, person: course.sign(person, late=7200)),
    "secret": ("with another secret", lambda course, person: course.sign(person, secret="not the secret")),
    "key": ("with an unknown key", lambda course, person: course.sign(person, key="nobody")),
    "link": ("without resource_link_id", lambda course, person: course.sign(person, leave_out="resource_link_id")),
}
