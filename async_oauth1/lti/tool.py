"""LTITool: verifies the launches of tool consumers (LTI 1.0 and 1.1)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from async_oauth1.credentials import ClientLike
from async_oauth1.errors import OAuth1Error, StoreUnavailableError
from async_oauth1.explaining.queue import Refusal
from async_oauth1.policy import Policy
from async_oauth1.protocol.encoding import as_text
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.provider.hooks import ExistsNonce, QueryClient, call_hook
from async_oauth1.provider.signatures import find_problem

from .consumers import switch
from .content_items import SignedForm, selection_form
from .errors import LTILaunchError, RelaunchRequiredError
from .launches import Launch
from .launching.fields import counted_once, fields_of, first_values
from .launching.reading import read_launch
from .launching.requirements import check_fields, check_request
from .launching.tool_states import check_tool_state
from .refusals import RefusedLaunch, keep
from .servers import LTIServer

__all__ = ["LTITool"]

log = logging.getLogger("async_oauth1")


class LTITool(LTIServer):
    """Verifies launches. One tool serves all consumers.

    Hooks: ``query_consumer(key)`` returns an `LTIConsumer`, or a model with the methods of `ClientLike`;
    ``exists_nonce`` as for a resource protector. Optional: ``pin_consumer(key, value)`` returns the value that the key
    is pinned to, and pins it to this one if it is not, in one atomic step; ``launched(key, when)`` notes the Unix time
    of an accepted launch; ``on_refusal`` as for a resource protector.
    """

    HOOKS = ("query_consumer", "exists_nonce", "pin_consumer", "launched", "on_refusal")
    OVERRIDABLE_HOOKS = ("query_consumer", "pin_consumer", "launched")
    #: PyLTI's python-oauth2 sends the hash of an empty body with each launch.
    ignores_body_hash_of_forms = True

    def __init__(
        self,
        query_consumer: QueryClient[ClientLike] | None = None,
        exists_nonce: ExistsNonce | None = None,
        policy: Policy | None = None,
        *,
        clock: Callable[[], float] = time.time,
        **hooks: Callable[..., Any],
    ) -> None:
        """Make a tool.

        Args:
            query_consumer: the hook of that name.
            exists_nonce: the hook of that name.
            policy: the rules; by default HMAC-SHA1 and HMAC-SHA256, a window of 300 seconds, https except on loopback,
                and uniform errors. Refusals are explained in the log in any case. Without
                ``longest_timestamp_window``, a consumer's own window is at most an hour.
            clock: Unix time in seconds.
            hooks: more hooks by name.
        """
        super().__init__(query_consumer, exists_nonce, policy, clock=clock, **hooks)

    async def verify_launch(self, request: Any, *, tool_state: str | None = None) -> Launch:
        """Verify a launch.

        Args:
            request: an `OAuth1Request`; or the request of a framework, which the adapter's ``read_request`` reads.
            tool_state: the state that the application has kept for this browser since `RelaunchRequiredError`;
                ``None`` if the cookie of `launch_error_response` has it.

        Returns:
            What the consumer has said.

        Raises:
            OAuth1Error: the launch is refused; `launch_error_response` answers it.
            LTILaunchError: its signature holds, but not what LTI requires. Its nonce is used.
            RelaunchRequiredError: the browser has to go back to the consumer first (``tool_state`` of the consumer).
            MissingHookError: a consumer is pinned, and there is no hook ``pin_consumer``.
        """
        read: OAuth1Request | None = None
        signed: Mapping[str, str] | None = None

        async def keep_signed(genuine: OAuth1Request) -> None:
            nonlocal signed
            signed = first_values(genuine)

        try:
            read = await read_launch(request, self.policy)
            check_request(read)
            await self.verify(read, self.look_up, when_genuine=keep_signed)
            return await self._accept(read, tool_state)
        except RelaunchRequiredError:
            raise
        except OAuth1Error as error:
            if read is not None:
                refusal = Refusal(read, error, self.policy, self.clock(), None, is_explained=True)
                keep(error, RefusedLaunch(refusal, signed))
            self.report_refusal(error, read)
            raise

    async def content_item_response(
        self, launch: Launch, items: Sequence[Mapping[str, Any]], **messages: str
    ) -> SignedForm:
        """The signed answer to a ``ContentItemSelectionRequest``, which the tool's page posts to the consumer.

        Args:
            launch: the request.
            items: what was chosen, each a JSON object as LTI's Content-Item message has it; may be empty.
            messages: ``lti_msg``, ``lti_log``, ``lti_errormsg`` or ``lti_errorlog``.

        Raises:
            ValueError: the launch is another message, or its return URL is not http or https.
        """
        secret = await call_hook(launch.consumer.get_client_secret)
        return selection_form(launch, items, messages, secret=secret, now=self.clock())

    async def verify_signature(self, request: OAuth1Request, *, token_missing: bool = False) -> None:
        """Check the signature; the query that stands in the form, too, may be counted once (``query_sent_twice``).

        Raises:
            OAuth1Error: it does not hold.
        """
        once = None
        if request.raw_query and request.client is not None and await switch(request.client, "query_sent_twice"):
            once = counted_once(request, self.policy)
        if once is not None:
            await self.find_tolerances(once)
            if await find_problem(once, None) is not None:
                once = None
        await super().verify_signature(once or request, token_missing=token_missing)
        if once is not None:
            log.info("Consumer %r has sent the query of the launch URL in the form, too.", request.client_id)
            request.tolerances, request.timestamp_window = once.tolerances, once.timestamp_window

    async def verify_body(self, request: OAuth1Request, *, required: bool = False) -> None:
        """Check ``oauth_body_hash`` unless the body is a form, whose parameters are signed.

        Raises:
            OAuth1Error: it does not hold.
        """
        if not request.is_form:
            await super().verify_body(request, required=required)

    async def _accept(self, request: OAuth1Request, kept_state: str | None) -> Launch:
        """What LTI requires of a launch whose signature holds, and whose nonce is used."""
        launch = Launch(fields_of(request), request.client)
        check_fields(launch.fields)
        check_tool_state(request, launch, await switch(launch.consumer, "tool_state"), kept_state)
        if pin := await switch(launch.consumer, "pin"):
            await self._check_pin(launch, pin)
        if launched := self.hooks.get("launched"):
            try:
                await call_hook(launched, launch.consumer_key, self.clock())
            except StoreUnavailableError:  # the launch cannot be sent again, and this is only the time of the last use
                log.warning("The last use of consumer %r could not be noted.", launch.consumer_key)
        return launch

    async def _check_pin(self, launch: Launch, pin: str) -> None:
        """Check that a key launches from where it has launched first.

        Raises:
            LTILaunchError: it does not.
        """
        value = launch.fields.get(pin)
        if not value:
            raise LTILaunchError("lti_pinned", f"Missing or empty: {pin}, which this key is pinned to.", [pin])
        if as_text(await call_hook(self._hook("pin_consumer"), launch.consumer_key, value)) != value:
            raise LTILaunchError(
                "lti_pinned", f"This key is in use with another {pin}. Ask for a key of your own.", [pin]
            )
