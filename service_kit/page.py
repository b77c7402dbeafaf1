"""The page to read a service's document and to try its calls: Swagger UI, from the service alone.

Swagger UI itself comes from an installed package; what is ours lies in ``page/``.
"""

from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from importlib.util import find_spec
from pathlib import Path

from tornado.routing import URLSpec

from service_kit import versions
from service_kit.application import route
from service_kit.handlers import Access, JsonHandler
from service_kit.problems import NotFound

PACKAGED_ASSETS = frozenset({"swagger-ui-bundle.js", "swagger-ui.css"})
"""What is served of ``swagger_ui/static``."""

_OWN_FOLDER = Path(__file__).parent / "page"
_OWN_ASSETS = frozenset({"start.js", "page.css", "favicon.svg"})
_MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
# No exception for inline styles: Swagger UI sets its few by the DOM, which no policy concerns. Its
# style sheets draw arrows and marks from data: URLs.
_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def page_routes() -> list[URLSpec]:
    """Return the routes of the page and of all that it loads."""
    return [
        route("/docs", PageHandler),
        route("/docs/", ToPageHandler),
        route("/docs/{asset}", AssetHandler),
    ]


class ToPageHandler(JsonHandler):
    """An address from which a browser is sent to the page."""

    access = Access.PUBLIC

    async def get(self) -> None:
        """Send it there."""
        self.clear_header("Content-Type")
        self.redirect("/docs", status=HTTPStatus.FOUND)


class PageHandler(JsonHandler):
    """The page."""

    access = Access.PUBLIC

    async def get(self) -> None:
        """Return it.

        ---
        summary: Open the page to read and try all this
        description: >-
          A page for a browser. All that it needs comes from here; it works without the internet.
        operationId: getPage
        tags: [operations]
        x-answer-headers: [ETag]
        responses:
          "200":
            description: The page.
            x-headers: [ETag]
            content:
              text/html:
                schema: {type: string}
                examples: {the page: {value: "<!DOCTYPE html> ..."}}
        """
        self.set_header("Content-Security-Policy", _CONTENT_SECURITY_POLICY)
        self.set_header("Referrer-Policy", "no-referrer")
        _reply_with(self, _file(_OWN_FOLDER / "index.html"))


class AssetHandler(JsonHandler):
    """What the page loads."""

    access = Access.PUBLIC

    async def get(self, asset: str) -> None:
        """Return one file; a browser that has it asks whether it is still the same."""
        _reply_with(self, _file(_path_of(asset)))


@dataclass(frozen=True, slots=True)
class _File:
    media_type: str
    content: bytes
    etag: str


def _reply_with(handler: JsonHandler, file: _File) -> None:
    handler.set_header("Content-Type", file.media_type)
    handler.reply_bytes(file.content, status=HTTPStatus.OK, etag=file.etag)


def _path_of(asset: str) -> Path:
    """Return where the asset lies.

    Raises:
        NotFound: the page has none of that name.
    """
    if asset in _OWN_ASSETS:
        return _OWN_FOLDER / asset
    package = find_spec("swagger_ui")
    if asset not in PACKAGED_ASSETS or package is None or package.origin is None:
        raise NotFound
    return Path(package.origin).parent / "static" / asset


@cache
def _file(path: Path) -> _File:
    content = path.read_bytes()
    return _File(_MEDIA_TYPES[path.suffix], content, versions.of_content(content))
