"""``escape`` and ``unescape`` of RFC 5849 section 3.6; Authlib's own."""

from authlib.oauth1.rfc5849.util import escape, unescape

__all__ = ["escape", "unescape"]
