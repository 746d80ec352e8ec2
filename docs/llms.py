"""Write ``llms.txt``, a list of all pages for language models, beside the site: https://llmstxt.org."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes

#: A summary ends after this many characters, at a word.
SUMMARY = 200


def lines(env: Any) -> Iterator[str]:
    """The first page's summary, then each kind of pages with its pages in the order of the site."""
    root = env.config.root_doc
    yield f"# {env.titles[root].astext()}\n\n> {summary(env, root, length=500)}\n"
    for kind in env.toctree_includes[root]:
        yield f"## {env.titles[kind].astext()}\n"
        yield "\n".join(entry(env, name) for name in env.toctree_includes.get(kind, [kind])) + "\n"


def entry(env: Any, name: str) -> str:
    """A link to a page as it was written, with its first sentences."""
    about = summary(env, name)
    return f"- [{env.titles[name].astext()}]({address(env, name)})" + (f": {about}" if about else "")


def address(env: Any, name: str) -> str:
    """The page's source, which the site has as well; of the API, which is made of docstrings, the page itself."""
    path = Path(env.doc2path(name, base=False))
    return f"_sources/{path.as_posix()}.txt" if path.suffix == ".md" else f"{name}.html"


def summary(env: Any, name: str, length: int = SUMMARY) -> str:
    """The first paragraph of a page in one line."""
    found = next(iter(env.get_doctree(name).findall(nodes.paragraph)), None)
    text = " ".join(found.astext().split()) if found is not None else ""
    return text if len(text) <= length else text[:length].rpartition(" ")[0] + " ..."


def write(app: Any, error: Exception | None) -> None:
    """Write the file once the pages are there."""
    if error is None and app.builder.name == "html":
        (Path(app.outdir) / "llms.txt").write_text("\n".join(lines(app.env)), encoding="utf-8")


def setup(app: Any) -> dict[str, Any]:
    """Run at the end of each build."""
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
