"""The HTML pages. They are rendered on the server, so that one template engine escapes everything, and so that they work
without scripts; `static/page.js` only saves reloads.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import jinja2
from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from pipeline import __version__
from pipeline.core.assets import PACKAGE
from pipeline.core.warehouse import Warehouse
from pipeline.report.content import gather
from pipeline.report.render import environment
from pipeline.service import schema
from pipeline.service.access import COOKIE, same, session
from pipeline.service.analyze import AnalysisRow, prepare
from pipeline.service.limits import client_of, too_many
from pipeline.service.parts import Parts, ServiceParts
from pipeline.service.settings import Settings

router = APIRouter(include_in_schema=False)

_EMPTY = {"text": "", "stars": "", "business": ""}


@router.get("/")
async def form(parts: ServiceParts) -> Response:
    """The empty form."""
    return _page("analyze.html.jinja", parts.settings, given=_EMPTY, analysis=None, fault=None)


@router.post("/")
async def submit(
    request: Request,
    parts: ServiceParts,
    text: Annotated[str, Form()] = "",
    stars: Annotated[str, Form()] = "",
    business: Annotated[str, Form()] = "",
) -> Response:
    """The analysis of the form's review: a fragment if a script requests it, else the whole page."""
    given = {"text": text, "stars": stars, "business": business}
    analysis, fault, status = None, None, 200
    try:
        analysis = await _analyze(given, parts, client_of(request.scope))
    except ValidationError as error:
        fault, status = _fault(error), 422
    except HTTPException as error:
        fault, status = str(error.detail), error.status_code
    name = "_result.html.jinja" if request.headers.get("x-fragment") else "analyze.html.jinja"
    pieces = analysis and marked(analysis["text"], analysis["themes"])
    return _page(name, parts.settings, status, given=given, analysis=analysis, pieces=pieces, fault=fault)


async def _analyze(given: Mapping[str, str], parts: Parts, client: str) -> AnalysisRow:
    review = schema.Review.model_validate({name: value for name, value in given.items() if value.strip()})
    row = prepare(review.text, review.stars, None, review.business)
    if not any(map(str.isalpha, row["text"])):
        raise HTTPException(422, "There are no words in it to analyse.")
    return await parts.engine.analyze(row, True, client)


@router.get("/dashboard")
def dashboard(parts: ServiceParts) -> Response:
    """What the published warehouse shows; a hint if there is none."""
    if parts.published.stamp() is None:
        return _page("dashboard.html.jinja", parts.settings, headline=None)
    return _page("dashboard.html.jinja", parts.settings, **parts.published.once(overview))


@router.get("/login")
async def login_form(parts: ServiceParts) -> Response:
    """The form for the key; without a key, the front page."""
    if parts.settings.api_key is None:
        return RedirectResponse("/", 303)
    return _page("login.html.jinja", parts.settings, fault=None)


@router.post("/login")
async def log_in(request: Request, parts: ServiceParts, key: Annotated[str, Form(max_length=500)] = "") -> Response:
    """Sets the cookie if the key is right."""
    secret = parts.settings.api_key
    if secret is None:
        return RedirectResponse("/", 303)
    if wait := parts.wrong_keys.take(client_of(request.scope)):
        return too_many("wrong keys", wait)
    if not same(key, secret):
        return _page("login.html.jinja", parts.settings, 401, fault="That is not the key.")
    response = RedirectResponse("/", 303)
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, session(secret), httponly=True, samesite="strict", secure=secure)
    return response


@router.post("/logout")
async def log_out() -> Response:
    """Deletes the cookie."""
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE)
    return response


def _fault(error: ValidationError) -> str:
    names = {"text": "The review", "stars": "Stars", "business": "The name"}
    first = error.errors()[0]
    return f"{names.get(str(first['loc'][0]), 'The form')}: {first['msg'].lower()}."


def overview(warehouse: Warehouse) -> dict[str, Any]:
    """The part of the report's content that the dashboard shows."""
    content = gather(warehouse)
    names = ("headline", "pains", "businesses", "labels", "period", "made", "charts")
    return {name: content[name] for name in names}


def marked(text: str, themes: Sequence[Mapping[str, Any]]) -> list[tuple[str, Sequence[Mapping[str, Any]]]]:
    """The review cut into consecutive pieces, each with the themes for which it is evidence."""
    cuts = sorted({0, len(text)} | {theme[name] for theme in themes for name in ("start", "end")})
    return [
        (text[start:end], [theme for theme in themes if theme["start"] <= start and end <= theme["end"]])
        for start, end in itertools.pairwise(cuts)
    ]


def _page(name: str, settings: Settings, status: int = 200, **values: Any) -> HTMLResponse:
    locked = settings.api_key is not None
    return HTMLResponse(_template(name).render(values, version=__version__, locked=locked, settings=settings), status)


@functools.cache
def _template(name: str) -> jinja2.Template:
    return environment(PACKAGE / "service" / "templates").get_template(name)
