"""What people think of the advice."""

from __future__ import annotations

import hmac

from fastapi import APIRouter
from starlette.exceptions import HTTPException

from pipeline.advice import votes
from pipeline.service import schema
from pipeline.service.parts import ServiceParts
from pipeline.service.problems import documented

router = APIRouter(tags=["votes"])


@router.post("/votes", status_code=204, responses=documented(400, 408, 413, 422))
def vote(vote: schema.Vote, parts: ServiceParts) -> None:
    """Thumbs up or down for a suggestion; the report counts them."""
    wanted = votes.ballot(parts.settings.warehouse, vote.review_id, vote.model, vote.suggestion)
    if not hmac.compare_digest(wanted, vote.ballot):
        raise HTTPException(422, "ballot: it did not come with this suggestion; send the one that did.")
    votes.record(parts.settings.warehouse, vote.review_id, vote.suggestion, vote.model, vote.vote, vote.voter)
    parts.meters.votes.labels(str(vote.vote)).inc()
