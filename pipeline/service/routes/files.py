"""A file of reviews: upload, progress, results, deletion."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Literal

from fastapi import APIRouter, File, Form, Path, UploadFile
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException

from pipeline.service import schema
from pipeline.service.parts import ServiceParts
from pipeline.service.problems import Responses, documented
from pipeline.service.records import as_csv, as_json

router = APIRouter(tags=["files"])

JobId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]

_RESULTS: Responses = {
    200: {
        "description": "One row per record of the file, those that were rejected or repeated among them",
        "content": {
            "application/json": {"schema": {"type": "array"}},
            "text/csv": {"schema": {"type": "string"}},
        },
    }
}


@router.post("/analyze/batch", response_model=schema.Job, status_code=202, responses=documented(400, 408, 413, 422))
async def analyze_file(
    parts: ServiceParts,
    file: Annotated[UploadFile, File(description="CSV, TSV, JSON or JSON Lines, by the ending of its name.")],
    column: Annotated[
        list[str], Form(max_length=20, description="FIELD=COLUMN where columns have unusual names: text=body")
    ] = [],  # noqa: B006
) -> schema.Job:
    """Takes a file of reviews. Ask for its progress at `/analyze/batch/{job_id}`."""
    mapping = _mapping(column)

    async def pieces() -> AsyncIterator[bytes]:
        while piece := await file.read(1 << 20):
            yield piece

    return await parts.jobs.create(pieces(), file.filename or "", mapping)


def _mapping(columns: list[str]) -> dict[str, str]:
    pairs = [item.partition("=") for item in columns if item]
    if not all(field and equals and name for field, equals, name in pairs):
        raise HTTPException(422, "column: write FIELD=COLUMN, such as text=body.")
    return {field: name for field, _, name in pairs}


@router.get("/analyze/batch/{job_id}", response_model=schema.Job, responses=documented(404, 422))
async def job(job_id: JobId, parts: ServiceParts) -> schema.Job:
    """Progress of a file: `done` of `rows`."""
    return parts.jobs.get(job_id)


@router.get(
    "/analyze/batch/{job_id}/results",
    responses=documented(404, 409, 422) | _RESULTS,
    response_class=StreamingResponse,
)
async def results(job_id: JobId, parts: ServiceParts, format: Literal["json", "csv"] = "json") -> StreamingResponse:
    """What became of every row, as JSON or as a CSV file for a spreadsheet."""
    rows = parts.jobs.results(job_id)
    disposition = {"Content-Disposition": f'attachment; filename="review-insights.{format}"'}
    if format == "csv":
        return StreamingResponse(as_csv(rows), media_type="text/csv", headers=disposition)
    return StreamingResponse(as_json(rows), media_type="application/json", headers=disposition)


@router.delete("/analyze/batch/{job_id}", status_code=204, responses=documented(404, 422))
async def forget(job_id: JobId, parts: ServiceParts) -> None:
    """Deletes an upload and its results; a running job ends."""
    parts.jobs.remove(job_id)
