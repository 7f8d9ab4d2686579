"""What the published warehouse holds."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime
from pathlib import PurePath
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from pipeline.core.stage import Row
from pipeline.core.warehouse import sql_file
from pipeline.report import content
from pipeline.report.render import page
from pipeline.service import schema
from pipeline.service.parts import ServiceParts
from pipeline.service.problems import Responses, documented

router = APIRouter(tags=["warehouse"])

# The report is one file with inline styles; nothing else in it may load or run.
_REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HTML: Responses = {200: {"content": {"text/html": {"schema": {"type": "string"}}}}}


@router.get("/insights", response_model=schema.Insights, responses=documented(404, 422))
def insights(request: Annotated[schema.InsightsQuery, Query()], parts: ServiceParts) -> Row:
    """Reviews of the published warehouse, newest first."""
    filters = request.model_dump(exclude={"limit", "after"})
    values = filters | _position(request.after) | {"most": request.limit + 1}
    with parts.published.open() as warehouse:
        rows = warehouse.query(sql_file("service", "insights.sql"), values)
    shown = rows[: request.limit]
    items = [row | {"source": PurePath(row["source"]).name, "themes": row["themes"] or []} for row in shown]
    return {"items": items, "next": _cursor(shown[-1]) if len(rows) > request.limit else None}


@router.get("/pain-points", response_model=schema.PainPoints, responses=documented(404))
def pain_points(parts: ServiceParts) -> Row:
    """The themes that hurt most, with quotes that prove it and what to do."""
    return {"items": parts.published.once(content.pain_points)}


@router.get("/report/latest", responses=documented(404) | _HTML, response_class=HTMLResponse)
def latest_report(parts: ServiceParts) -> HTMLResponse:
    """The report of the published warehouse, as a page that stands alone."""
    with parts.published.open() as warehouse:
        return HTMLResponse(page(warehouse), headers={"Content-Security-Policy": _REPORT_POLICY})


def _cursor(row: Row) -> str:
    """An opaque cursor: the position after a row."""
    moment = row["reviewed_at"].isoformat() if row["reviewed_at"] else None
    return base64.urlsafe_b64encode(json.dumps([moment, row["review_id"]]).encode()).decode()


def _position(after: str | None) -> dict[str, Any]:
    """The query parameters for a cursor. Raises HTTPException 422."""
    if after is None:
        return {"after_date": None, "after_id": None}
    try:
        moment, review_id = json.loads(base64.b64decode(after.encode(), b"-_", validate=True))
        if not isinstance(review_id, str):
            raise TypeError
        return {"after_date": datetime.fromisoformat(moment) if moment is not None else None, "after_id": review_id}
    except (ValueError, TypeError, RecursionError, binascii.Error):
        raise HTTPException(422, "after: give the `next` of an earlier page.") from None
