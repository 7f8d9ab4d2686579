"""The page: the same analyses for people. Rendered here, so that one template engine escapes everything, and so that it
works before any script has run; `static/page.js` only spares reloads.
"""

from __future__ import annotations

import functools
import hmac
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import jinja2
from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from pipeline import __version__
from pipeline.core.assets import PACKAGE
from pipeline.core.warehouse import Warehouse
from pipeline.report.content import gather
from pipeline.report.render import environment
from pipeline.service import analyze, schema
from pipeline.service.engine import Engine
from pipeline.service.limits import COOKIE, session
from pipeline.service.problems import problem
from pipeline.service.published import Reader
from pipeline.service.settings import Settings

Guess = Callable[[str], float]
_EMPTY = {"text": "", "stars": "", "business": ""}


def add(app: FastAPI, settings: Settings, engine: Engine, reader: Reader, guess: Guess) -> None:
    """Adds the routes of the page. They are not part of the API's document."""

    @app.get("/", include_in_schema=False)
    async def form() -> Response:
        return _page("analyze.html.jinja", settings, given=dict(_EMPTY), found=None, fault=None)

    @app.post("/", include_in_schema=False)
    async def submitted(
        request: Request,
        text: Annotated[str, Form()] = "",
        stars: Annotated[str, Form()] = "",
        business: Annotated[str, Form()] = "",
    ) -> Response:
        """The form's answer: the part that changes where a script asks, else the whole page."""
        given, found, fault, status = {"text": text, "stars": stars, "business": business}, None, None, 200
        try:
            review = schema.Review.model_validate({name: value for name, value in given.items() if value.strip()})
            row = analyze.prepare(review.text, review.stars, None, review.business)
            if not any(map(str.isalpha, row["text"])):
                raise HTTPException(422, "There are no words in it to analyse.")
            found = await engine.analyze(row)
        except ValidationError as error:
            fault, status = _fault(error), 422
        except HTTPException as error:
            fault, status = str(error.detail), error.status_code
        if request.headers.get("x-fragment"):
            content = _template("_result.html.jinja").render(found=found, fault=fault, parts=found and marked(found))
            return HTMLResponse(content, status)
        return _page("analyze.html.jinja", settings, status, given=given, found=found, fault=fault)

    @app.get("/dashboard", include_in_schema=False)
    def dashboard() -> Response:
        if reader.stamp() is None:
            return _page("dashboard.html.jinja", settings, headline=None)
        return _page("dashboard.html.jinja", settings, **reader.remembered("dashboard", overview))

    @app.get("/login", include_in_schema=False)
    async def login() -> Response:
        if settings.api_key is None:
            return RedirectResponse("/", 303)
        return _page("login.html.jinja", settings, fault=None)

    @app.post("/login", include_in_schema=False)
    async def logged_in(request: Request, key: Annotated[str, Form(max_length=500)] = "") -> Response:
        if settings.api_key is None:
            return RedirectResponse("/", 303)
        if wait := guess(request.client.host if request.client else "?"):
            return problem(429, "Too many wrong keys.", headers={"Retry-After": str(int(wait) + 1)})
        if not hmac.compare_digest(key.encode(), settings.api_key.encode()):
            return _page("login.html.jinja", settings, 401, fault="That is not the key.")
        response = RedirectResponse("/", 303)
        response.set_cookie(
            COOKIE, session(settings.api_key), httponly=True, samesite="strict", secure=request.url.scheme == "https"
        )
        return response

    @app.post("/logout", include_in_schema=False)
    async def logged_out() -> Response:
        response = RedirectResponse("/login", 303)
        response.delete_cookie(COOKIE)
        return response


def _fault(error: ValidationError) -> str:
    names = {"text": "The review", "stars": "Stars", "business": "The name"}
    first = error.errors()[0]
    return f"{names.get(str(first['loc'][0]), 'The form')}: {first['msg'].lower()}."


def overview(warehouse: Warehouse) -> dict[str, Any]:
    """What the dashboard shows of the report's content."""
    content = gather(warehouse)
    names = ("headline", "pains", "businesses", "labels", "period", "made", "charts")
    return {name: content[name] for name in names}


def marked(found: Mapping[str, Any]) -> list[tuple[str, Sequence[Mapping[str, Any]]]]:
    """The review in pieces, each with the themes it is the evidence of; joined they are the review."""
    text, themes = found["text"], found["themes"]
    cuts = sorted({0, len(text)} | {theme[name] for theme in themes for name in ("start", "end")})
    return [
        (text[start:end], [theme for theme in themes if theme["start"] <= start and end <= theme["end"]])
        for start, end in itertools.pairwise(cuts)
    ]


def _page(name: str, settings: Settings, status: int = 200, **values: Any) -> HTMLResponse:
    if "found" in values:
        values["parts"] = values["found"] and marked(values["found"])
    content = _template(name).render(
        values, version=__version__, locked=settings.api_key is not None, settings=settings
    )
    return HTMLResponse(content, status)


@functools.cache
def _template(name: str) -> jinja2.Template:
    templates = environment(PACKAGE / "service" / "templates")
    return templates.get_template(name)
