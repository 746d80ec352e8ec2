"""Cartridges: the XML that configures a tool in a consumer ("Common Cartridge" with a basic LTI link)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from async_oauth1.lti.pox.messages import MEDIA_TYPE
from async_oauth1.lti.pox.writing import DECLARATION, element, text_element
from async_oauth1.lti.urls import is_web_url
from async_oauth1.provider.responses import OAuth1Response

__all__ = ["cartridge", "cartridge_response"]

_NAMESPACES = {
    "xmlns": "http://www.imsglobal.org/xsd/imslticc_v1p0",
    "xmlns:blti": "http://www.imsglobal.org/xsd/imsbasiclti_v1p0",
    "xmlns:lticm": "http://www.imsglobal.org/xsd/imslticm_v1p0",
    "xmlns:lticp": "http://www.imsglobal.org/xsd/imslticp_v1p0",
}
#: Settings of a platform: text, or named options with settings of their own, as Canvas has for each placement.
Settings: TypeAlias = Mapping[str, "str | Mapping[str, str]"]


def cartridge(
    title: str,
    launch_url: str,
    *,
    description: str = "",
    icon: str | None = None,
    custom: Mapping[str, str] | None = None,
    extensions: Mapping[str, Settings] | None = None,
    vendor: tuple[str, str] | None = None,
) -> str:
    """The XML with which an administrator adds a tool: name and launch URL, but neither key nor secret.

    Args:
        title: of the tool.
        launch_url: where launches are posted to.
        description: of the tool.
        icon: a URL.
        custom: parameters that are launched as ``custom_*``, without the prefix.
        extensions: settings by platform, such as ``{"canvas.instructure.com": {"privacy_level": "public"}}``.
        vendor: code and name.

    Raises:
        ValueError: a URL is not http or https, or a text has a character that XML does not have.
    """
    for url in (launch_url, icon):
        if url is not None and not is_web_url(url):
            raise ValueError(f"A cartridge needs http or https URLs, in ASCII, not {url!a}.")
    # In the order of the schema.
    parts = [text_element("blti:title", title), text_element("blti:description", description)]
    if custom:
        parts.append(element("blti:custom", *_settings(custom)))
    for platform, settings in (extensions or {}).items():
        parts.append(element("blti:extensions", *_settings(settings), attributes={"platform": platform}))
    is_secure = launch_url.lower().startswith("https:")
    parts.append(text_element("blti:secure_launch_url" if is_secure else "blti:launch_url", launch_url))
    if icon:
        parts.append(text_element("blti:secure_icon" if icon.lower().startswith("https:") else "blti:icon", icon))
    if vendor:
        code, name = vendor
        parts.append(element("blti:vendor", text_element("lticp:code", code), text_element("lticp:name", name)))
    return DECLARATION + element("cartridge_basiclti_link", *parts, attributes=_NAMESPACES)


def cartridge_response(xml: str) -> OAuth1Response:
    """The answer of a route from which consumers fetch the cartridge.

    Args:
        xml: from `cartridge`.
    """
    return OAuth1Response(200, xml, [("Content-Type", MEDIA_TYPE)])


def _settings(settings: Settings) -> Iterator[str]:
    for name, value in settings.items():
        if isinstance(value, str):
            yield text_element("lticm:property", value, {"name": name})
        else:
            yield element("lticm:options", *_settings(value), attributes={"name": name})
