"""The eight steps of the flow, in words."""

from __future__ import annotations

from .wire import Heading

SIGNS = Heading(
    "The printer signs its first request",
    "The printer wants temporary credentials. Its signature proves who it is. It covers a text that both sides "
    "build from the request, the base string, in three parts:",
)
GETS_TEMPORARY_CREDENTIALS = Heading(
    "The provider issues temporary credentials",
    "The provider has built the same base string from the request that arrived, so the signature is right. "
    "The credentials are good for one approval, and only for ten minutes.",
)
SIGNS_IN = Heading(
    "Jane signs in",
    "The printer sends Jane's browser to the provider with the temporary token. She signs in there, so that the "
    "printer never sees her password.",
)
APPROVES = Heading(
    "Jane lets the printer in",
    "The provider asks Jane. Then it sends her browser back to the printer, with a verifier. It proves that the "
    "user who came back is the one who approved.",
)
EXCHANGES = Heading(
    "The printer exchanges them for token credentials",
    "The printer signs with both secrets now, its own and the temporary one, and shows the verifier. The temporary "
    "credentials end here, and the token credentials stay until Jane removes them.",
)
ASKS = Heading(
    "The printer signs its request for the photo",
    "The name and the size of the photo are parameters, so they are signed as well. If one of them is changed on "
    "the way, the signature is wrong.",
)
GETS_PHOTO = Heading(
    "The photo arrives",
    "The provider knows which client asks, and for which user.",
)
REPLAYS = Heading(
    "An attacker sends the same request again",
    "The request was recorded, and is sent again octet for octet. Its signature is right, but its nonce was used.",
)
