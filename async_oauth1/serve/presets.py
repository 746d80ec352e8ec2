"""Presets: what other providers demand of their clients and how they refuse, as data, each with its sources.

A preset imitates the part that a client library meets: signature methods, where the parameters may be, the realm, the
paths, and the bodies of errors. The resources themselves are not imitated: every path answers what arrived.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from async_oauth1.protocol.raw_request import Place
from async_oauth1.protocol.signature import SIGNATURE_METHODS

__all__ = ["PLAIN", "PRESETS", "ErrorStyle", "Paths", "Preset", "Problem"]

_EVERYWHERE: tuple[Place, ...] = ("header", "query", "form")
_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Problem:
    """How a provider names one of our errors.

    Attributes:
        code: the code in the body.
        text: the text in the body.
        status: HTTP status; 0 to keep ours.
    """

    code: str
    text: str
    status: int = 0


@dataclass(frozen=True, slots=True)
class ErrorStyle:
    """The body of a refusal.

    Attributes:
        media_type: its Content-Type.
        body: a template in JSON's types: an object, or a flat one for forms. In its strings ``{code}``, ``{text}``,
            ``{base_string}`` and ``{method}`` are replaced; ``{status}`` alone is a number.
        problems: by our error code.
        other: for all other codes.
    """

    media_type: str
    body: Mapping[str, object]
    problems: Mapping[str, Problem]
    other: Problem


@dataclass(frozen=True, slots=True)
class Paths:
    """Where the three legs are.

    Attributes:
        initiate: issues temporary credentials.
        authorize: asks the user.
        token: issues token credentials.
    """

    initiate: str = "/initiate"
    authorize: str = "/authorize"
    token: str = "/token"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A provider to imitate.

    Attributes:
        name: the value of ``--like``; empty for a provider by RFC 5849.
        sources: the public pages that these facts are from.
        signature_methods: enabled for its clients.
        places: where protocol parameters are read.
        realm_required: requests for resources must have a realm in the header.
        realm: for ``WWW-Authenticate``.
        two_legged: resources take requests without a token.
        three_legged: clients can get token credentials.
        paths: of the three legs.
        resources: first segments of the paths that are protected, besides ``/echo``.
        timestamp_window: seconds.
        signed_bodies: a body needs ``oauth_body_hash``, unless it is a form.
        get_at_token_endpoints: GET is accepted there, too.
        tolerances: names from `async_oauth1.tolerances`.
        client_id: a pattern for the client's identifier; ``{}`` is replaced by random digits.
        errors: how it refuses; ``None`` for this package's own bodies.
    """

    name: str = ""
    sources: tuple[str, ...] = ()
    signature_methods: tuple[str, ...] = tuple(SIGNATURE_METHODS)
    places: tuple[Place, ...] = _EVERYWHERE
    realm_required: bool = False
    realm: str = "async-oauth1 serve"
    two_legged: bool = False
    three_legged: bool = True
    paths: Paths = field(default_factory=Paths)
    resources: tuple[str, ...] = ()
    timestamp_window: int = 300
    signed_bodies: bool = False
    get_at_token_endpoints: bool = False
    tolerances: tuple[str, ...] = ()
    client_id: str = "client-{}"
    errors: ErrorStyle | None = None

    @property
    def uses_rsa(self) -> bool:
        """Whether the client needs a key pair."""
        return any(name.startswith("RSA") for name in self.signature_methods)

    @property
    def uses_secret(self) -> bool:
        """Whether the client needs a secret."""
        return not all(name.startswith("RSA") for name in self.signature_methods)


def _same(names: str, problem: Problem) -> dict[str, Problem]:
    return dict.fromkeys(names.split(), problem)


_WOOCOMMERCE = Preset(
    name="woocommerce",
    sources=(
        "https://woocommerce.github.io/woocommerce-rest-api-docs/#authentication-over-http",
        "https://woocommerce.com/wc-apidocs/files/woocommerce-includes-class-wc-rest-authentication.html",
    ),
    signature_methods=("HMAC-SHA1", "HMAC-SHA256"),
    places=("query", "header"),
    two_legged=True,
    three_legged=False,
    resources=("wp-json",),
    timestamp_window=900,
    client_id="ck_{}",
    errors=ErrorStyle(
        _JSON,
        {"code": "{code}", "message": "{text}", "data": {"status": "{status}"}},
        {
            "invalid_client": Problem("woocommerce_rest_authentication_error", "Consumer key is invalid.", 401),
            "invalid_signature": Problem(
                "woocommerce_rest_authentication_error", "Invalid signature - provided signature does not match.", 401
            ),
            "unsupported_signature_method": Problem(
                "woocommerce_rest_authentication_error", "Invalid signature - signature method is invalid.", 401
            ),
            "timestamp_refused": Problem("woocommerce_rest_authentication_error", "Invalid timestamp.", 401),
            "invalid_nonce": Problem(
                "woocommerce_rest_authentication_error", "Invalid nonce - nonce has already been used.", 401
            ),
            "missing_required_parameter": Problem(
                "woocommerce_rest_authentication_missing_parameter", "Missing OAuth parameter", 401
            ),
            "unsigned_request": Problem("woocommerce_rest_cannot_view", "Sorry, you cannot list resources.", 401),
        },
        Problem("woocommerce_rest_authentication_error", "{text}", 401),
    ),
)

_NETSUITE = Preset(
    name="netsuite",
    sources=(
        "https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_1530099787.html",
        "https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/subsect_156935170194.html",
        "https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_1549405961.html",
    ),
    signature_methods=("HMAC-SHA256",),
    places=("header",),
    realm_required=True,
    paths=Paths("/rest/requesttoken", "/app/login/secure/authorizetoken.nl", "/rest/accesstoken"),
    resources=("app/site/hosting/restlet.nl", "services/rest"),
    errors=ErrorStyle(
        _JSON,
        {"error": {"code": "{code}", "message": "{text}"}},
        {},
        Problem("INVALID_LOGIN_ATTEMPT", "Invalid login attempt.", 401),
    ),
)

_MASTERCARD_SOURCE = "https://developer.mastercard.com/platform/documentation"
_MASTERCARD = Preset(
    name="mastercard",
    sources=(
        f"{_MASTERCARD_SOURCE}/authentication/using-oauth-1a-to-access-mastercard-apis/",
        f"{_MASTERCARD_SOURCE}/errors-and-troubleshooting/oauth1-and-mtls-error-codes/",
        "https://github.com/Mastercard/oauth1-signer-python",
    ),
    signature_methods=("RSA-SHA256",),
    places=("header",),
    two_legged=True,
    three_legged=False,
    resources=("api",),
    signed_bodies=True,
    tolerances=("unescaped_body_hash",),
    client_id="{}!{}",
    errors=ErrorStyle(
        _JSON,
        {
            "Errors": {
                "Error": [
                    {
                        "Source": "Gateway",
                        "ReasonCode": "{code}",
                        "Description": "{text}",
                        "Recoverable": False,
                        "Details": "{base_string}",
                    }
                ]
            }
        },
        {
            "invalid_signature": Problem("AUTHENTICATION_FAILED", "OAuth signature did not match", 401),
            **_same(
                "missing_required_parameter unsigned_request invalid_request",
                Problem("INVALID_OAUTH_SBS", "Problem with signature base string. {text}", 400),
            ),
            "invalid_client": Problem("INVALID_CLIENT_ID", "Invalid client ID", 401),
        },
        Problem("AUTHENTICATION_FAILED", "{text}", 401),
    ),
)

_JIRA = Preset(
    name="jira",
    sources=(
        "https://developer.atlassian.com/server/jira/platform/oauth/",
        "https://github.com/jira-node/node-jira-client/issues/44",
    ),
    signature_methods=("RSA-SHA1",),
    paths=Paths(
        "/plugins/servlet/oauth/request-token",
        "/plugins/servlet/oauth/authorize",
        "/plugins/servlet/oauth/access-token",
    ),
    resources=("rest",),
    get_at_token_endpoints=True,
    client_id="jira-{}",
    errors=ErrorStyle(
        _FORM,
        {
            "oauth_problem": "{code}",
            "oauth_signature_base_string": "{base_string}",
            "oauth_signature_method": "{method}",
        },
        {
            "invalid_signature": Problem("signature_invalid", "", 401),
            "invalid_client": Problem("consumer_key_unknown", "", 401),
            "invalid_token": Problem("token_rejected", "", 401),
            "invalid_verifier": Problem("permission_denied", "", 401),
            "invalid_nonce": Problem("nonce_used", "", 401),
            "timestamp_refused": Problem("timestamp_refused", "", 401),
            "unsupported_signature_method": Problem("signature_method_rejected", "", 400),
            "missing_required_parameter": Problem("parameter_absent", "", 400),
            "unsigned_request": Problem("parameter_absent", "", 401),
        },
        Problem("parameter_rejected", "", 0),
    ),
)

_SCHOOLOGY = Preset(
    name="schoology",
    sources=("https://developers.schoology.com/api-documentation/authentication",),
    signature_methods=("HMAC-SHA1", "PLAINTEXT"),
    realm="Schoology API",
    two_legged=True,
    paths=Paths("/v1/oauth/request_token", "/oauth/authorize", "/v1/oauth/access_token"),
    resources=("v1",),
    get_at_token_endpoints=True,
    errors=ErrorStyle("text/plain; charset=utf-8", {"": "{text}"}, {}, Problem("", "{text}", 401)),
)

#: A provider by RFC 5849: every signature method, every place.
PLAIN = Preset()
#: By the value of ``--like``.
PRESETS: Mapping[str, Preset] = MappingProxyType(
    {preset.name: preset for preset in (_WOOCOMMERCE, _NETSUITE, _MASTERCARD, _JIRA, _SCHOOLOGY)}
)
