"""The API: one short function per route. What every request must pass stands in `limits`, the page in `pages`.

review-insights serve --no-auth                     http://127.0.0.1:8000
REVIEW_INSIGHTS_API_KEY=... review-insights serve   every request bears X-API-Key
"""

from __future__ import annotations

import base64
import binascii
import functools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime
from pathlib import PurePath
from typing import Annotated, Any, Literal

from fastapi import Body, Depends, FastAPI, File, Form, Path, Query, UploadFile
from fastapi.responses import HTMLResponse, Response, StreamingResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from pipeline import __version__
from pipeline.advice import votes
from pipeline.core.assets import PACKAGE
from pipeline.core.stage import Row
from pipeline.core.warehouse import sql_file
from pipeline.report import content
from pipeline.report.render import page
from pipeline.service import analyze, jobs, pages, problems, schema
from pipeline.service.engine import Engine
from pipeline.service.limits import Guard
from pipeline.service.meters import Meters
from pipeline.service.problems import documented, dumped
from pipeline.service.published import Reader
from pipeline.service.settings import Settings

# The report is one file with its own styles, and nothing else in it may run.
_REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

JobId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
Filter = Annotated[str | None, Query(max_length=200)]


def create_app(settings: Settings) -> FastAPI:
    """The service as an ASGI application. Models load when it starts."""
    meters = Meters()
    engine, reader = Engine(settings, meters), Reader(settings.warehouse)
    queue = jobs.Jobs(settings, engine)
    guards: list[Guard] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await engine.start()
        queue.start()
        yield
        await queue.close()
        await engine.close()
        reader.close()

    app = FastAPI(
        title="Review Insights",
        version=__version__,
        description="What a review complains about, the words that prove it, and what to do about it.",
        lifespan=lifespan,
        docs_url=None,  # these pages fetch their scripts from a CDN
        redoc_url=None,
        exception_handlers=problems.HANDLERS,
    )

    app.state.engine = engine

    def guard(inner: Any) -> Guard:
        guards.append(Guard(inner, settings, meters))
        return guards[-1]

    app.add_middleware(guard)
    app.mount("/static", StaticFiles(directory=PACKAGE / "service" / "static"), name="static")

    meters.watch(
        "waiting_reviews", "Reviews waiting for the models", lambda: engine.classify.waiting + engine.write.waiting
    )
    for state in ("queued", "running", "done", "failed"):
        meters.watch(f"jobs_{state}", f"Uploaded files that are {state}", functools.partial(queue.count, state))
    meters.watch("warehouse_published_seconds", "Unix time of the published warehouse; 0: there is none",
                 lambda: (reader.stamp() or (0, 0, 0))[1] / 1e9)  # fmt: skip

    # --- Analysis ---

    @app.post("/analyze", response_model=schema.Analysis, responses=documented(400, 408, 413, 422), tags=["analysis"])
    async def analyze_review(review: schema.Review) -> Row:
        """Sentiment, emotions, themes with their evidence, advice, and a reply draft for one review."""
        return await engine.analyze(_row(review), review.generate)

    @app.post(
        "/analyze/stream",
        responses=documented(400, 408, 413, 422)
        | {200: {"description": "Lines of JSON", "content": {"application/x-ndjson": {"schema": {"type": "string"}}}}},
        response_class=StreamingResponse,
        tags=["analysis"],
    )
    async def analyze_and_stream(review: schema.Review) -> StreamingResponse:
        """The same, as it comes: a line `{"event": "classified", "analysis": ...}`, then lines
        `{"event": "text", "text": ...}` with pieces of the advice (a language model's word by word, the playbook's in
        one), `{"event": "reply", "text": ...}`, and last `{"event": "done", "analysis": ...}`, or
        `{"event": "error", "detail": ...}`.
        """
        row = _row(review)

        async def lines() -> AsyncIterator[str]:
            try:
                async for event in engine.stream(row, review.generate):
                    if "analysis" in event:  # the fields that /analyze answers with, and no others
                        event["analysis"] = schema.Analysis.model_validate(event["analysis"]).model_dump(mode="json")
                    yield dumped(event) + "\n"
            except HTTPException as error:
                yield dumped({"event": "error", "detail": error.detail}) + "\n"

        return StreamingResponse(lines(), media_type="application/x-ndjson")

    # --- Files ---

    @app.post(
        "/analyze/batch",
        response_model=schema.Job,
        status_code=202,
        responses=documented(400, 408, 413, 422),
        tags=["files"],
    )
    async def analyze_file(
        file: Annotated[UploadFile, File(description="CSV, TSV, JSON or JSON Lines, by the ending of its name.")],
        column: Annotated[
            list[str], Form(max_length=20, description="FIELD=COLUMN where columns have unusual names: text=body")
        ] = [],  # noqa: B006
    ) -> schema.Job:
        """Takes a file of reviews. Ask for its progress at `/analyze/batch/{job_id}`."""
        pairs = [item.partition("=") for item in column if item]
        if not all(field and equals and name for field, equals, name in pairs):
            raise HTTPException(422, "column: write FIELD=COLUMN, such as text=body.")

        async def pieces() -> AsyncIterator[bytes]:
            while piece := await file.read(1 << 20):
                yield piece

        return await queue.create(pieces(), file.filename or "", {field: name for field, _, name in pairs})

    @app.get("/analyze/batch/{job_id}", response_model=schema.Job, responses=documented(404, 422), tags=["files"])
    async def job(job_id: JobId) -> schema.Job:
        """Progress of a file: `done` of `rows`."""
        return queue.get(job_id)

    @app.get(
        "/analyze/batch/{job_id}/results",
        responses=documented(404, 409, 422)
        | {
            200: {
                "description": "One row per record of the file, those that were rejected or repeated among them",
                "content": {
                    "application/json": {"schema": {"type": "array"}},
                    "text/csv": {"schema": {"type": "string"}},
                },
            }
        },
        response_class=StreamingResponse,
        tags=["files"],
    )
    async def results(job_id: JobId, format: Literal["json", "csv"] = "json") -> StreamingResponse:
        """What became of every row, as JSON or as a CSV file for a spreadsheet."""
        rows = queue.results(job_id)
        disposition = {"Content-Disposition": f'attachment; filename="review-insights.{format}"'}
        if format == "csv":
            return StreamingResponse(jobs.as_csv(rows), media_type="text/csv", headers=disposition)
        return StreamingResponse(jobs.as_json(rows), media_type="application/json", headers=disposition)

    @app.delete("/analyze/batch/{job_id}", status_code=204, responses=documented(404, 422), tags=["files"])
    async def forget(job_id: JobId) -> None:
        """Deletes an upload and its results; a running job ends."""
        queue.remove(job_id)

    # --- The warehouse ---

    @app.get("/insights", response_model=schema.Insights, responses=documented(404, 422), tags=["warehouse"])
    def insights(
        filters: Annotated[dict[str, Any], Depends(filtered)],
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        after: Annotated[str | None, Query(max_length=200, description="`next` of the page before.")] = None,
    ) -> Row:
        """Reviews of the published warehouse, newest first."""
        with_place = filters | _place(after) | {"most": limit + 1}
        with _published(reader) as warehouse:
            rows = warehouse.query(sql_file("service", "insights.sql"), with_place)
        shown = [row | {"source": PurePath(row["source"]).name, "themes": row["themes"] or []} for row in rows[:limit]]
        return {"items": shown, "next": _cursor(shown[-1]) if len(rows) > limit else None}

    @app.get("/pain-points", response_model=schema.PainPoints, responses=documented(404), tags=["warehouse"])
    def pain_points() -> Row:
        """The themes that hurt most, with quotes that prove it and what to do."""
        _exists(reader)
        return {"items": reader.remembered("pain_points", content.pain_points)}

    @app.get(
        "/report/latest",
        responses=documented(404) | {200: {"content": {"text/html": {"schema": {"type": "string"}}}}},
        response_class=HTMLResponse,
        tags=["warehouse"],
    )
    def latest_report() -> HTMLResponse:
        """The report of the published warehouse, as a page that stands alone."""
        _exists(reader)
        with _published(reader) as warehouse:
            return HTMLResponse(page(warehouse), headers={"Content-Security-Policy": _REPORT_POLICY})

    @app.post("/votes", status_code=204, responses=documented(400, 408, 413, 422), tags=["votes"])
    def vote(vote: Annotated[schema.Vote, Body()]) -> None:
        """Thumbs up or down for a suggestion; the report counts them."""
        votes.record(settings.warehouse, vote.review_id, vote.suggestion, vote.model, vote.vote, vote.voter)
        meters.votes.labels(str(vote.vote)).inc()

    # --- Operation ---

    @app.get("/healthz", response_model=schema.Health, responses=documented(), tags=["operation"])
    async def healthz() -> Row:
        """The process answers."""
        return {"status": "ok"}

    @app.get("/readyz", response_model=schema.Ready, responses=documented(), tags=["operation"])
    async def readyz() -> Row:
        """The models are loaded; 503 until they are, and during a shutdown."""
        if not engine.ready:
            raise HTTPException(503, "The models are loading, or the service is stopping.", {"Retry-After": "5"})
        return {
            "status": "ready",
            "profile": settings.profile.name,
            "version": __version__,
            "warehouse": reader.stamp() is not None,
        }

    @app.get(
        "/metrics",
        responses=documented() | {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
        response_class=Response,
        tags=["operation"],
    )
    async def metrics() -> Response:
        """Prometheus' text format."""
        return Response(meters.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    pages.add(app, settings, engine, reader, lambda client: guards[0].guess(client))
    _describe(app, settings)
    return app


def _row(review: schema.Review) -> Row:
    row = analyze.prepare(review.text, review.stars, review.language, review.business)
    if not any(map(str.isalpha, row["text"])):
        raise HTTPException(422, "The text holds no letters: there is nothing to analyse.")
    return row


def _exists(reader: Reader) -> None:
    if reader.stamp() is None:
        raise HTTPException(404, "There is no warehouse yet. Make one with: review-insights run")


def _published(reader: Reader) -> Any:
    _exists(reader)
    return reader.warehouse()


def filtered(
    business: Filter = None,
    product: Filter = None,
    language: Annotated[str | None, Query(pattern="^[a-z]{2}$")] = None,
    sentiment: schema.Label | None = None,
    theme: Filter = None,
    emotion: Filter = None,
    min_stars: Annotated[float | None, Query(ge=1, le=5, allow_inf_nan=False)] = None,
    max_stars: Annotated[float | None, Query(ge=1, le=5, allow_inf_nan=False)] = None,
    since: date | None = None,
    until: date | None = None,
    contains: Annotated[str | None, Query(max_length=200, description="Words in the text, in any case.")] = None,
) -> dict[str, Any]:
    """The filters of `insights`, as the parameters of its query."""
    return dict(locals())


def _cursor(row: Row) -> str:
    """The place behind a row, as an opaque text."""
    moment = row["reviewed_at"].isoformat() if row["reviewed_at"] else None
    return base64.urlsafe_b64encode(json.dumps([moment, row["review_id"]]).encode()).decode()


def _place(after: str | None) -> dict[str, Any]:
    if after is None:
        return {"after_date": None, "after_id": None}
    try:
        moment, review_id = json.loads(base64.b64decode(after.encode(), b"-_", validate=True))
        if not isinstance(review_id, str):
            raise TypeError
        return {"after_date": datetime.fromisoformat(moment) if moment is not None else None, "after_id": review_id}
    except (ValueError, TypeError, RecursionError, binascii.Error):
        raise HTTPException(422, "after: give the `next` of an earlier page.") from None


def _describe(app: FastAPI, settings: Settings) -> None:
    """The problem schema and the keys, which FastAPI does not derive from the routes."""
    document = app.openapi()
    parts = document["components"]
    for model in (problems.Problem, problems.Fault):
        parts["schemas"].setdefault(
            model.__name__, model.model_json_schema(ref_template="#/components/schemas/{model}")
        )
        parts["schemas"][model.__name__].pop("$defs", None)
    for unused in ("HTTPValidationError", "ValidationError"):
        parts["schemas"].pop(unused, None)
    if settings.api_key is not None:
        parts["securitySchemes"] = {
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            "bearer": {"type": "http", "scheme": "bearer"},
        }
        document["security"] = [{"key": []}, {"bearer": []}]
    app.openapi_schema = document
