"""Policy: every number and switch of the provider, in one frozen record."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields, replace
from ipaddress import ip_address, ip_network
from typing import Any, cast

from .tolerances import LONGEST_WINDOW, check_tolerances

__all__ = ["Policy", "SizeLimits"]

#: Workers' clocks may differ by this much, in seconds, before a nonce could be forgotten too early.
CLOCK_TOLERANCE = 60

#: What `Policy.denial_parameters` may name.
DENIAL_PARAMETERS = frozenset({"denied", "error", "oauth_problem"})

_REALM = re.compile(r"[\x20-\x7e]*")
_HOST_PATTERN = re.compile(r"(?:\*\.)?[A-Za-z0-9\-._~]*[A-Za-z0-9\-_~]")
_BASE_URL = re.compile(r"https?://[^/?#@\s]+(?:/[^?#\s]*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeLimits:
    """How large a request may be. Larger ones are refused before anything costly is done.

    Attributes:
        max_parameters: in header, query and form together.
        max_header_bytes: of the ``Authorization`` header.
        max_query_bytes: of the query.
        max_form_bytes: of an ``application/x-www-form-urlencoded`` body.
    """

    max_parameters: int = 1_000
    max_header_bytes: int = 64 * 1024
    max_query_bytes: int = 64 * 1024
    max_form_bytes: int = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(SizeLimits):
    """The rules of one server, its `SizeLimits` included. The defaults are the strict reading of RFC 5849.

    Attributes:
        timestamp_window: seconds into the past and into the future that ``oauth_timestamp`` may lie (section 3.3).
        signature_methods: names of the methods accepted; a client may narrow them.
        require_https: refuse plain http, unless both the peer and the Host are loopback (section 2.1, 2.3).
        uniform_errors: an unknown client, an unknown token, a method not enabled for the client and a wrong
            signature answer alike.
        realm: the realm in ``WWW-Authenticate``; printable ASCII.
        external_base_url: what clients sign, if a proxy changes scheme, host or path prefix: a URL, or a function
            of the ASGI scope that returns one. ``None``: the Host header and the connection's scheme.
        trusted_proxies: networks (``"10.0.0.0/8"``) whose ``Forwarded`` and ``X-Forwarded-*`` headers are believed. A
            proxy there must set or remove each of them: what it passes on as the client wrote it is believed, too.
        allowed_hosts: the Host values that are served, without port; empty: any. ``*.example.com`` matches subdomains.
        max_identifier_bytes: of a client identifier, a token or a nonce, once decoded.
        temporary_credential_lifetime: seconds between the first step and the exchange.
        max_pending_per_client: temporary credentials of one client that may wait for a decision or an exchange at once;
            shared stores may let some more in while several workers count at the same moment.
        token_credential_lifetime: seconds for which token credentials are good; ``None``: until they are revoked.
        max_wrong_verifiers: wrong verifiers, each under a valid signature, that consume a temporary credential.
        require_signed_body: refuse every body that neither the signature covers, as a form, nor ``oauth_body_hash``. A
            form under PLAINTEXT counts as unsigned. ``OAUTH1_REQUIRE_SIGNED_BODY`` in a framework's configuration.
        tolerances: names of rules to relax for clients that cannot be changed, from
            `async_oauth1.tolerances.TOLERANCES`; better for one of them, see `Client.tolerances`.
        longest_timestamp_window: the largest window, in seconds, that a client may have by its tolerance
            ``timestamp_window=SECONDS``; nonces are kept for it. ``None``: ``timestamp_window``. At most 86,400.
        get_at_token_endpoints: accept GET as well as POST at the endpoints where clients fetch credentials, for clients
            that cannot be changed (sections 2.1 and 2.3 have POST). Their parameters then appear in the logs of servers
            and proxies.
        explain_refusals: log why signatures do not verify, a moment after the answer: ``True``, or the identifiers of
            the clients concerned. At most one a second is explained, and 64 wait.
        logged_refusals_per_minute: refusals of one kind from one client, or from one address if the client is unknown,
            that are logged one by one; of further ones in the same minute, one in 1,000, and how many they were.
            ``None``: all are logged.
        denial_parameters: how the callback is told that the resource owner denied, in this order: ``"error"``
            (``error=access_denied``), ``"oauth_problem"`` (``oauth_problem=user_refused``), ``"denied"`` (``denied=``
            and the token). ``oauth_token`` follows in any case.
        oob_verifier_length: characters of the code that a resource owner types; used if wrong ones are counted.
        problem_reporting: refusals also say ``oauth_problem`` and what belongs to it, in the body and in
            ``WWW-Authenticate``, for clients that read OAuth Core's extension for problem reporting.
    """

    timestamp_window: int = 300
    signature_methods: tuple[str, ...] = ("HMAC-SHA1",)
    require_https: bool = True
    uniform_errors: bool = True
    realm: str = ""
    external_base_url: str | Callable[[Mapping[str, Any]], str] | None = None
    trusted_proxies: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    max_identifier_bytes: int = 255
    temporary_credential_lifetime: int = 600
    max_pending_per_client: int = 10_000
    token_credential_lifetime: int | None = None
    max_wrong_verifiers: int = 5
    oob_verifier_length: int = 10
    require_signed_body: bool = False
    tolerances: tuple[str, ...] = ()
    get_at_token_endpoints: bool = False
    denial_parameters: tuple[str, ...] = ("error",)
    longest_timestamp_window: int | None = None
    explain_refusals: bool | tuple[str, ...] = False
    problem_reporting: bool = False
    logged_refusals_per_minute: int | None = 60

    def __post_init__(self) -> None:
        """Refuse a policy that cannot be kept, by name.

        Raises:
            ValueError: a value out of its range.
            TypeError: a single string instead of a collection of strings.
        """
        for name in ("signature_methods", "trusted_proxies", "allowed_hosts", "denial_parameters"):
            value: object = getattr(self, name)
            if isinstance(value, (str, bytes)) or not isinstance(value, Collection):
                raise TypeError(f"{name} is a collection of strings, not {type(value).__name__}")
            object.__setattr__(self, name, tuple(cast("Collection[str]", value)))
        object.__setattr__(self, "explain_refusals", _checked_clients(self.explain_refusals))
        self._check_numbers()
        if not self.signature_methods:
            raise ValueError("signature_methods is empty: no request could be accepted")
        _check_denial_parameters(self.denial_parameters)
        if not _REALM.fullmatch(self.realm):
            raise ValueError(f"realm is printable ASCII, not {self.realm!a}")
        if isinstance(self.external_base_url, str) and not _BASE_URL.fullmatch(self.external_base_url):
            raise ValueError("external_base_url is an http or https URL without user, query and fragment")
        for host in self.allowed_hosts:
            _check_host_pattern(host)
        for network in self.trusted_proxies:
            ip_network(network)  # raises a ValueError that names the value
        object.__setattr__(self, "tolerances", check_tolerances(self.tolerances))
        if (self.longest_timestamp_window or 0) > LONGEST_WINDOW:
            raise ValueError(
                f"longest_timestamp_window is at most {LONGEST_WINDOW} seconds, not {self.longest_timestamp_window}"
            )

    def _check_numbers(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type not in ("int", "int | None") or (value is None and field.type != "int"):
                continue
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{field.name} is a whole number above 0, not {value!r}")

    @property
    def longest_window(self) -> int:
        """Seconds into the past and into the future that a timestamp of any client may lie."""
        return max(self.timestamp_window, self.longest_timestamp_window or 0)

    @property
    def nonce_lifetime(self) -> int:
        """Seconds for which a nonce must be remembered, from its arrival.

        A request may arrive a window early and stay acceptable until a window late.
        """
        return 2 * self.longest_window + CLOCK_TOLERANCE

    def explains_refusals_of(self, client_id: str | None) -> bool:
        """Whether it is logged why a request of this client is refused."""
        wanted = self.explain_refusals
        return wanted if isinstance(wanted, bool) else client_id in wanted

    def updated(self, config: Mapping[str, Any], *, prefix: str = "OAUTH1_") -> Policy:
        """This policy with what a framework's configuration says instead.

        Args:
            config: such as ``app.config``; ``OAUTH1_TIMESTAMP_WINDOW`` sets ``timestamp_window``, and so on for every
                attribute; ``OAUTH1_SUPPORTED_SIGNATURE_METHODS``, Authlib's name, sets ``signature_methods``.
            prefix: what the keys begin with.

        Raises:
            ValueError: a value out of its range.
            TypeError: a value of the wrong kind.
        """
        keys = {field.name: f"{prefix}{field.name.upper()}" for field in fields(self)}
        keys["signature_methods"] = f"{prefix}SUPPORTED_SIGNATURE_METHODS"
        return replace(self, **{name: config[key] for name, key in keys.items() if config.get(key) is not None})


def _checked_clients(value: object) -> bool | tuple[str, ...]:
    if isinstance(value, bool):
        return value
    if isinstance(value, (str, bytes)) or not isinstance(value, Collection):
        raise TypeError(f"explain_refusals is True, False or a collection of strings, not {type(value).__name__}")
    return tuple(cast("Collection[str]", value))


def _check_denial_parameters(names: tuple[str, ...]) -> None:
    if not names or len(set(names)) < len(names) or not DENIAL_PARAMETERS.issuperset(names):
        known = ", ".join(sorted(DENIAL_PARAMETERS))
        raise ValueError(f"denial_parameters has one or more of {known}, each once, not {names!r}")


def _check_host_pattern(host: str) -> None:
    if _HOST_PATTERN.fullmatch(host):
        return
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        raise ValueError(f"allowed_hosts are names without port or dot at the end, not {host!r}") from None
