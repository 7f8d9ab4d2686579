"""One review in, its analysis out: in one piece, or streamed."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException

from pipeline.service import schema
from pipeline.service.analyze import AnalysisRow, ReviewRow, prepare
from pipeline.service.limits import client_of
from pipeline.service.parts import ServiceParts
from pipeline.service.problems import Responses, documented, dumped

router = APIRouter(tags=["analysis"])

_LINES: Responses = {
    200: {"description": "Lines of JSON", "content": {"application/x-ndjson": {"schema": {"type": "string"}}}}
}


@router.post("/analyze", response_model=schema.Analysis, responses=documented(400, 408, 413, 422))
async def analyze_review(request: Request, review: schema.Review, parts: ServiceParts) -> AnalysisRow:
    """Sentiment, emotions, themes with their evidence, advice, and a reply draft for one review."""
    return await parts.engine.analyze(_row(review), review.generate, client_of(request.scope))


@router.post("/analyze/stream", responses=documented(400, 408, 413, 422) | _LINES, response_class=StreamingResponse)
async def analyze_and_stream(request: Request, review: schema.Review, parts: ServiceParts) -> StreamingResponse:
    """The same, as it comes: a line `{"event": "classified", "analysis": ...}`, then lines
    `{"event": "text", "text": ...}` with pieces of the advice (a language model's word by word, the playbook's in
    one), `{"event": "reply", "text": ...}`, and last `{"event": "done", "analysis": ...}`, or
    `{"event": "error", "detail": ...}`.
    """
    row = _row(review)

    async def lines() -> AsyncIterator[str]:
        try:
            async for event in parts.engine.stream(row, review.generate, client_of(request.scope)):
                if "analysis" in event:  # only the fields that /analyze returns
                    event["analysis"] = schema.Analysis.model_validate(event["analysis"]).model_dump(mode="json")
                yield dumped(event) + "\n"
        except HTTPException as error:
            yield dumped({"event": "error", "detail": error.detail}) + "\n"

    return StreamingResponse(lines(), media_type="application/x-ndjson")


def _row(review: schema.Review) -> ReviewRow:
    row = prepare(review.text, review.stars, review.language, review.business)
    if not any(map(str.isalpha, row["text"])):
        raise HTTPException(422, "The text holds no letters: there is nothing to analyse.")
    return row
