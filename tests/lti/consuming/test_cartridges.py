"""The XML that configures a tool."""

from __future__ import annotations

import defusedxml.ElementTree as Xml
import pytest
from lti import ToolConfig

from async_oauth1.lti import cartridge, cartridge_response

EXTENSIONS = {
    "canvas.instructure.com": {
        "privacy_level": "public",
        "course_navigation": {"enabled": "true", "text": "Übung & Co"},
    }
}


def test_another_library_reads_it() -> None:
    """The package lti finds everything in it."""
    xml = cartridge(
        "Übung <1>",
        "https://tool.example/launch?a=1&b=2",
        description="A tool",
        icon="https://tool.example/icon.png",
        custom={"page": "3\n4"},
        extensions=EXTENSIONS,
        vendor=("example", "Example & Sons"),
    )
    config = ToolConfig.create_from_xml(xml.encode())
    assert (config.title, config.description) == ("Übung <1>", "A tool")
    assert config.secure_launch_url == "https://tool.example/launch?a=1&b=2"
    assert config.secure_icon == "https://tool.example/icon.png"
    assert config.get_custom_param("page") == "3\n4"
    assert (config.vendor_code, config.vendor_name) == ("example", "Example & Sons")
    platform = "canvas.instructure.com"
    assert config.get_ext_param(platform, "privacy_level") == "public"
    assert config.get_ext_param(platform, "course_navigation")["text"] == "Übung & Co"


def test_the_order_of_the_schema() -> None:
    """A launch URL of http stands in the other element."""
    xml = cartridge("A", "http://localhost/launch", custom={"a": "b"})
    names = [child.tag.rpartition("}")[2] for child in Xml.fromstring(xml)]
    assert names == ["title", "description", "custom", "launch_url"]


def test_the_answer_of_a_route() -> None:
    """It is XML, without a secret in it."""
    xml = cartridge("A", "https://tool.example/launch")
    assert cartridge_response(xml) == (200, xml, [("Content-Type", "application/xml")])


@pytest.mark.parametrize("url", ["/launch", "javascript:alert(1)", "https://tool.example/ö"])
def test_urls_are_absolute(url: str) -> None:
    """Another launch URL is refused."""
    with pytest.raises(ValueError, match="http or https"):
        cartridge("A", url)
