"""What clients and operators are told about requests that are refused."""

UNIFORM = "The signature does not verify: the client, the token, the signature method or the signature is not accepted."

INSECURE = (
    "This provider saw plain http, and OAuth 1 requires https. Behind a proxy that ends TLS, set external_base_url, or "
    "name the proxy in trusted_proxies. For a network that is safe without TLS, set require_https=False."
)
REWRITTEN = (
    "The server in front of this provider takes the scheme or the client's address from headers that any client can "
    "send. Set external_base_url; or switch that off (uvicorn: --no-proxy-headers; see the guide to deploying for "
    "others), and name the proxy in trusted_proxies."
)
