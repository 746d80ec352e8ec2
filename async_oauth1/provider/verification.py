"""The verification of signed requests, which the authorization server and the resource protector share.

`BaseServer.verify` has the order of the steps, and the methods after it are the steps.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from async_oauth1.credentials import Client, ClientLike
from async_oauth1.errors import (
    InsecureTransportError,
    InvalidClientError,
    InvalidNonceError,
    InvalidRequestError,
    InvalidSignatureError,
    InvalidTokenError,
    MissingRequiredParameterError,
    OAuth1Error,
    UnsupportedSignatureMethodError,
)
from async_oauth1.protocol.header_fields import announces_body
from async_oauth1.protocol.request import OAuth1Request
from async_oauth1.tolerances import REPEATED_NONCE

from .checks import (
    check_body_hash,
    check_digest,
    check_host,
    check_protocol_parameters,
    check_timestamp,
    check_timestamp_window,
    claimed_body_hash,
)
from .configured_server import ConfiguredServer
from .hints import hints
from .hooks import MaybeAwaitable, call_hook, optional
from .hooks.problems import report_race, violates_unique
from .leniency import apply_tolerances, log_uses, refusal_of, tolerances_of, untolerated
from .records.fields import record_fields
from .refusal_texts import INSECURE, REWRITTEN, UNIFORM
from .refusals import explained, with_reason
from .signatures import CustomVerifier, compute_dummy_signature, find_problem, lacks_token_secret

log = logging.getLogger("async_oauth1")

#: Looks up the client and the credential of a request, sets them, and returns whether a token that the request needs
#: is missing.
LookUp = Callable[[OAuth1Request], Awaitable[bool]]


class BaseServer(ConfiguredServer):
    """The verification of signed requests, which both servers share."""

    #: Ignore ``oauth_body_hash`` in a form, whose parameters are signed, instead of refusing it.
    ignores_body_hash_of_forms = False

    async def verify(
        self,
        request: OAuth1Request,
        look_up: LookUp,
        *,
        check: Callable[[OAuth1Request], None] | None = None,
        body_hash_required: bool = False,
        when_genuine: Callable[[OAuth1Request], Awaitable[None]] | None = None,
    ) -> None:
        """Verify a signed request. Every endpoint uses this order.

        What costs nothing comes first. The nonce comes last, so that nothing is stored, counted or deleted for a
        request whose signature does not hold.

        Args:
            request: as read from the wire.
            look_up: sets ``client`` and ``credential``, and returns whether a token that the request needs is missing.
            check: checks the parameters that only this endpoint needs.
            body_hash_required: as for `verify_body`.
            when_genuine: runs once signature and body are verified, for what only a genuine client may learn.

        Raises:
            OAuth1Error: the request is not accepted.
        """
        self.check_request(request)  # transport and host, parameters, timestamp, signature method
        if check is not None:
            check(request)
        token_missing = await look_up(request)
        await self.verify_signature(request, token_missing=token_missing)
        if body_hash_required or "oauth_body_hash" in request.protocol_parameters or self.policy.require_signed_body:
            await self.verify_body(request, required=body_hash_required)
        if when_genuine is not None:
            await when_genuine(request)
        await self.use_nonce(request)

    def check_request(self, request: OAuth1Request) -> None:
        """Check what needs no look-up.

        Raises:
            OAuth1Error: the request is malformed, insecure, unsigned or too old.
        """
        if not self._complete:
            self.require_hooks()
        self.check_transport(request)
        try:
            check_protocol_parameters(request, self.policy)
            check_timestamp(request, self.policy, self.clock())
            self.check_signature_method(request)
        except OAuth1Error as error:
            explained(error, hints(request))
            raise

    def check_transport(self, request: OAuth1Request) -> None:
        """Refuse plain http and foreign hosts, as far as the policy says.

        Raises:
            OAuth1Error: the request came an insecure way, or to another's host.
        """
        if request.may_be_rewritten:
            self._warn_of_rewriting()
        policy = self.policy
        if policy.require_https and not self.is_secure(request):
            raise InsecureTransportError(REWRITTEN if request.may_be_rewritten else INSECURE)
        if policy.allowed_hosts:
            check_host(request, policy)

    def _warn_of_rewriting(self) -> None:
        if not self._warned_of_rewriting:
            self._warned_of_rewriting = True
            log.warning("%s", REWRITTEN)

    def is_secure(self, request: OAuth1Request) -> bool:
        """Whether the connection is safe from eavesdroppers between client and server."""
        return request.is_secure

    def check_signature_method(self, request: OAuth1Request) -> None:
        """Refuse methods that are not enabled, PLAINTEXT without TLS, and body hashes of forms.

        Raises:
            OAuth1Error: the method, or what it is used with, is not supported.
        """
        method = request.protocol_parameters.get("oauth_signature_method")
        if method not in self.policy.signature_methods:
            raise UnsupportedSignatureMethodError(
                f'"oauth_signature_method" must be one of {", ".join(self.policy.signature_methods)}.'
            )
        if method == "PLAINTEXT" and not self.is_secure(request):
            raise UnsupportedSignatureMethodError("PLAINTEXT is accepted over https alone.")
        if "oauth_body_hash" in request.protocol_parameters and request.is_form and not self.ignores_body_hash_of_forms:
            raise InvalidRequestError('"oauth_body_hash" must not be sent with a form: its parameters are signed.')

    async def verify_signature(self, request: OAuth1Request, *, token_missing: bool = False) -> None:
        """Check the signature of a request whose client and credential have been looked up.

        Args:
            request: with ``client`` and ``credential`` set to what was found.
            token_missing: the request names a token, and no credential was found for it.

        Raises:
            OAuth1Error: it does not hold, or the request deviates in a way that is not tolerated of its client. With
                uniform errors always the same for the same request.
        """
        problem: OAuth1Error | None
        if request.client is None or token_missing:
            compute_dummy_signature(request)
            problem = (
                InvalidTokenError() if request.client is not None else InvalidClientError("The client is unknown.")
            )
        else:
            if type(request.client) is not Client or request.client.tolerances or self.policy.tolerances:
                await self.find_tolerances(request)
            problem = await find_problem(request, self.custom_verifier(request.signature_method or ""))
            if problem is None and request.deviations:
                problem = untolerated(request)
            if problem is None:
                if request.deviations or request.tolerances_used or request.timestamp_window is not None:
                    self._finish_tolerating(request)
                return
        try:
            raise self._signature_refusal(request, problem)
        finally:
            del problem  # it may be what is raised, whose traceback has this frame: a cycle

    def _signature_refusal(self, request: OAuth1Request, problem: OAuth1Error) -> OAuth1Error:
        deviation = refusal_of(request, self.policy.tolerances, uniform=self.policy.uniform_errors)
        if deviation is not None:
            is_known = isinstance(problem, type(deviation)) and problem.description == deviation.description
            return deviation if is_known else _caused_by(problem, deviation)
        # The same for all that are refused here: the hints depend on the request alone.
        seen = hints(request)
        if "oauth_verifier" in request.protocol_parameters and lacks_token_secret(request):
            with_reason(problem, "It was signed without the temporary token's secret: the client lost or ignored it.")
        if not self.policy.uniform_errors:
            return explained(problem, seen)
        return _caused_by(problem, explained(InvalidSignatureError(UNIFORM), seen))

    async def is_signed_with_ended(self, request: OAuth1Request, ended: object) -> bool:
        """Whether a refused request is signed with credentials that have ended. It takes as long if there are none.

        Args:
            request: without credentials.
            ended: the credentials that have ended; ``None`` if there are none.
        """
        if request.client is None or ended is None:
            compute_dummy_signature(request)
            return False
        if type(request.client) is not Client or request.client.tolerances or self.policy.tolerances:
            await self.find_tolerances(request)
        request.credential = ended
        try:
            problem = await find_problem(request, self.custom_verifier(request.signature_method or ""))
        finally:
            request.credential = None
        return problem is None and request.find_untolerated() is None

    async def find_tolerances(self, request: OAuth1Request) -> None:
        """Tell a request what is tolerated of its client."""
        names = await tolerances_of(request.client, request.client_id)
        if names or self.policy.tolerances:
            apply_tolerances(request, names, self.policy.tolerances, self.longest_window, self.clock)

    def longest_window(self) -> int:
        """Seconds that a timestamp of any client may lie from the server's time: nonces are kept for it."""
        return self.policy.longest_window

    def _finish_tolerating(self, request: OAuth1Request) -> None:
        log_uses(request)
        if request.timestamp_window is not None:
            self.check_window(request)

    async def verify_body(self, request: OAuth1Request, *, required: bool = False) -> None:
        """Check ``oauth_body_hash`` if it is present, and that the body is signed if the policy says so.

        Args:
            request: its signature holds.
            required: refuse a request without it; a form's parameters are signed and need none.

        Raises:
            OAuth1Error: the hash is malformed or not that of the body, or required and missing; or the policy requires
                signed bodies and nothing covers this one; the timestamp has left the window while the body arrived.
        """
        if request.body_hash_holds:
            pass  # compared before, by the middleware
        elif "oauth_body_hash" in request.protocol_parameters:
            await self._verify_body_hash(request)
        elif required and not (request.is_form and request.body is not None):
            raise MissingRequiredParameterError("oauth_body_hash")
        if (
            self.policy.require_signed_body
            and request.body_protection == "none"
            and (announces_body(request.raw_headers) or await _body_of(request))
        ):
            raise InvalidRequestError(
                "Nothing signs the body of this request. Send its hash as oauth_body_hash, or send it as a form "
                "(application/x-www-form-urlencoded); PLAINTEXT signs neither."
            )

    async def _verify_body_hash(self, request: OAuth1Request) -> None:
        algorithm, claimed = claimed_body_hash(request)
        if request.body_hash_follows:
            return
        if request.digest_body is not None:
            digest = await call_hook(request.digest_body, algorithm)
            self.check_window(request)  # the client may have taken its time over the body
            check_digest(digest, claimed)
        else:
            body = await _body_of(request)
            self.check_window(request)
            check_body_hash(request, body)
        request.body_hash_holds = True

    async def use_nonce(self, request: OAuth1Request) -> None:
        """Remember the nonce of a request that is genuine in everything else (section 3.3).

        Stores keep a nonce for as long as its timestamp may be accepted. So the window is checked again once the store
        has answered: however long the body, a look-up or the store itself took, a nonce that the store could have
        forgotten by then belongs to a timestamp that is refused.

        Raises:
            TimestampRefusedError: the timestamp has left the window since it was first checked.
            InvalidNonceError: the nonce was used before.
            StoreUnavailableError: the store cannot be asked.
        """
        nonce = request.protocol_parameters.get("oauth_nonce")
        if nonce is None or "oauth_timestamp" not in request.protocol_parameters:
            # PLAINTEXT may omit either; without a timestamp a store could never forget the nonce. This is checked
            # again, because an application may have edited the request.
            check_timestamp(request, self.policy, self.clock())
            self.check_window(request)  # the former only notes what the window of some client may cover
            return
        try:
            known = await call_hook(self.exists_nonce, nonce, request)
        except Exception as error:  # a driver's own class; all but a violated UNIQUE constraint are raised again
            if not violates_unique(error):
                raise
            report_race(self._hook, error)
            known = True
        self.check_window(request)
        if not known:
            return
        if REPEATED_NONCE in request.tolerances or await optional(request.client, "get_nonce_policy") == "log-only":
            fields = record_fields("nonce.repeated", request)
            log.warning("Client %r has repeated the nonce %r.", request.client_id, nonce, extra=fields)
            return
        raise InvalidNonceError('"oauth_nonce" has been used before with this timestamp.')

    def check_window(self, request: OAuth1Request) -> None:
        """Check the timestamp of a request again that `check_request` has let pass.

        Raises:
            InvalidRequestError: an application has edited it since, and it is no timestamp.
            TimestampRefusedError: it has left the window since.
        """
        if (timestamp := request.protocol_parameters.get("oauth_timestamp")) is None:
            return
        check_timestamp_window(timestamp, request.timestamp_window or self.policy.timestamp_window, self.clock())

    # Overridable look-ups, with Authlib's names and arguments --------------------------------------------------------

    def get_client_by_id(self, client_id: str) -> MaybeAwaitable[ClientLike | None]:
        """Look the client up; by default the hook ``query_client``."""
        found: MaybeAwaitable[ClientLike | None] = self._hook("query_client")(client_id)
        return found

    def exists_nonce(self, nonce: str, request: OAuth1Request) -> MaybeAwaitable[bool]:
        """Remember the nonce and say whether it was known; by default the hook ``exists_nonce``."""
        sent = request.protocol_parameters
        token = sent.get("oauth_token") or None
        timestamp, client_id = sent.get("oauth_timestamp"), sent.get("oauth_consumer_key")
        hook = self.hooks.get("exists_nonce") or self._hook("exists_nonce")
        known: MaybeAwaitable[bool] = hook(nonce, timestamp, client_id, token)
        return known

    def custom_verifier(self, name: str) -> CustomVerifier | None:
        """The verifier that was registered for a signature method; ``None`` for the shipped methods."""
        return self._custom_verifiers.get(name)


def _caused_by(cause: OAuth1Error, error: OAuth1Error) -> OAuth1Error:
    error.__cause__ = cause
    return error


async def _body_of(request: OAuth1Request) -> bytes:
    if request.body is None and request.read_body is not None:
        request.body = await call_hook(request.read_body)
    return request.body or b""
