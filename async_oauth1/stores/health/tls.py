"""Explains to the operator why TLS between a store and its server has failed."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path

__all__ = ["tls_problem", "unreadable_file"]

#: What OpenSSL says of a certificate; see "Error codes" in `man openssl-verification-options`.
_EXPIRED, _NOT_YET_VALID, _OTHER_HOST, _UNTRUSTED = {10}, {9}, {62, 64}, {2, 18, 19, 20, 21, 24, 79}

_SPEAKS_NO_TLS = "the server does not speak TLS on this port"
_NO_CERTIFICATE = "the file of the trusted authority (ssl_ca_certs or sslrootcert) holds no certificate"
_REASONS = {
    "WRONG_VERSION_NUMBER": _SPEAKS_NO_TLS,
    "RECORD_LAYER_FAILURE": _SPEAKS_NO_TLS,
    "UNKNOWN_PROTOCOL": _SPEAKS_NO_TLS,
    "NO_CERTIFICATE_OR_CRL_FOUND": _NO_CERTIFICATE,
    "NO_START_LINE": _NO_CERTIFICATE,
    "KEY_VALUES_MISMATCH": "the client's certificate and key do not belong together",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": (
        "the server demands a certificate of its clients: set ssl_certfile and ssl_keyfile (Redis), "
        "or sslcert and sslkey (PostgreSQL)"
    ),
}


def tls_problem(error: BaseException) -> str | None:
    """Why TLS has failed; ``None`` if the error has another cause.

    Args:
        error: of a connection, as the driver raises it; it may hide OpenSSL's.
    """
    found: BaseException | None = error
    while found is not None and not isinstance(found, ssl.SSLError):
        found = found.__cause__ or found.__context__
    if isinstance(found, ssl.SSLCertVerificationError):
        return _certificate_problem(found.verify_code, found.verify_message)
    if found is None:
        return None
    return _REASONS.get(found.reason, f"TLS has failed ({found.reason or ' '.join(str(found).split())})")


def _certificate_problem(code: int, message: str) -> str:
    if code in _EXPIRED:
        return "the server's certificate has expired"
    if code in _NOT_YET_VALID:
        return "the server's certificate is not valid yet; compare the clocks of both machines"
    if code in _OTHER_HOST:
        return f"the server's certificate is for another host ({message.rstrip('.')})"
    if code in _UNTRUSTED:
        return (
            f"the server's certificate is not signed by a trusted authority ({message}); "
            "set ssl_ca_certs (Redis) or sslrootcert (PostgreSQL) to the file of its authority"
        )
    return f"the server's certificate is not valid ({message})"


def unreadable_file(files: Mapping[str, str]) -> str | None:
    """Which file of an option cannot be read, and why; ``None`` if all can be read.

    Args:
        files: paths by the names of their options.
    """
    for name, path in files.items():
        try:
            Path(path).read_bytes()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            return f"the file of {name} cannot be read ({reason})"
    return None
