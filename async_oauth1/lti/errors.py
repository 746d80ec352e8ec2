"""The errors of LTI launches and grades, besides those of the signature."""

from __future__ import annotations

from collections.abc import Iterable

from async_oauth1.errors import OAuth1Error

__all__ = ["LTILaunchError", "OutcomeError", "OutcomeUnclearError", "RelaunchRequiredError"]

#: Characters of a name that comes from a request, and names that are shown.
_LONGEST_NAME, _MOST_NAMES = 100, 20
#: Characters of a text from outside that an error shows.
_LONGEST_TEXT = 1_000


class LTILaunchError(OAuth1Error):
    """A launch whose signature holds, but which LTI does not allow. Its nonce is used.

    Attributes:
        error: ``lti_parameter_missing``, ``lti_version``, ``lti_message_type``, ``lti_contradiction``, ``lti_pinned``
            or ``lti_tool_state``.
        parameters: the names of the parameters concerned, all of them.
    """

    error = "lti_launch"
    status_code = 400

    def __init__(self, error: str, description: str, parameters: Iterable[str] = ()) -> None:
        """Say what is wrong.

        Args:
            error: the code.
            description: one or more sentences, for the administrator of the consumer.
            parameters: the names of the parameters concerned.
        """
        super().__init__(description)  # pyright: ignore[reportUnknownMemberType] - Authlib's stubs lack the types
        self.error = error
        self.parameters = tuple(parameters)


class RelaunchRequiredError(OAuth1Error):
    """The browser has to go back to the consumer, which launches again with ``tool_state`` (LTI 1.0.1 and 1.1.2).

    `launch_error_response` answers with the redirect and the cookie. If the application keeps the state of the browser
    itself, it stores ``tool_state``, redirects to ``url``, and passes the stored state to `LTITool.verify_launch`.

    Attributes:
        url: where to redirect to: ``relaunch_url`` with both states.
        tool_state: a new random value, for this browser alone.
    """

    error = "lti_relaunch_required"
    description = "The consumer has to launch again, from the same browser."
    status_code = 303

    def __init__(self, url: str, tool_state: str) -> None:
        """Keep where to go."""
        super().__init__()  # pyright: ignore[reportUnknownMemberType] - Authlib's stubs lack the types
        self.url, self.tool_state = url, tool_state


class OutcomeError(Exception):
    """The consumer has not done what was asked.

    Attributes:
        description: the consumer's text, as it was sent.
        code_major: ``failure``, ``unsupported``, or what else the consumer has said; empty if it has said nothing.
        status_code: HTTP status; ``None`` without an answer.
    """

    def __init__(
        self, message: str, *, description: str = "", code_major: str = "", status_code: int | None = None
    ) -> None:
        """Say what happened.

        Args:
            message: a sentence.
            description: the consumer's text, which follows the sentence.
            code_major: what the consumer has said.
            status_code: HTTP status.
        """
        super().__init__(f"{message} {printable(description)}".rstrip())
        self.description, self.code_major, self.status_code = description, code_major, status_code


class OutcomeUnclearError(OutcomeError):
    """The consumer has said neither that it has done what was asked, nor that it has not: the grade may be there.

    Read the grade, or send it again: the second request has another nonce.
    """


def printable(text: str) -> str:
    """Text from outside in one line of an error or a log, cut."""
    shown = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text[:_LONGEST_TEXT])
    return f"{shown}..." if len(text) > _LONGEST_TEXT else shown


def named(parameters: Iterable[str]) -> str:
    """The names of parameters in a sentence, in one line of ASCII and cut: they may come from a request."""
    names = list(parameters)
    shown = ", ".join(ascii(name[:_LONGEST_NAME])[1:-1] for name in names[:_MOST_NAMES])
    return f"{shown} and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else shown
