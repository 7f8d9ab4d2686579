"""Requests and responses, as the OpenAPI document describes them. Docstrings here are part of that document."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic.config import JsonDict

Label = Literal["negative", "neutral", "positive"]
Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2}$")]
# Sources seldom give a time zone, and the warehouse does not invent one.
Moment = Annotated[datetime, WithJsonSchema({"type": "string", "description": "ISO 8601 without a zone."})]
Name = Annotated[str, StringConstraints(max_length=200)]

EXAMPLE: JsonDict = {
    "text": "The soup was lovely, but we waited fifty minutes for it and nobody told us why.",
    "stars": 2,
    "language": "en",
    "business": "Harbour Kitchen",
}


class Review(BaseModel):
    """A review to analyse."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    text: str = Field(min_length=1, max_length=20_000, description="As the customer wrote it.")
    stars: float | None = Field(default=None, ge=1, le=5, allow_inf_nan=False)
    language: Language | None = Field(default=None, description="ISO 639-1; detected where it is missing.")
    business: Name | None = Field(default=None, description="Named in the advice and the reply.")
    generate: bool = Field(default=True, description="Whether to write advice and a reply draft; false: classify only.")


class Sentiment(BaseModel):
    label: Label | None = Field(description="null where no model reads the language or is sure enough: never a guess.")
    negative: float | None = None
    neutral: float | None = None
    positive: float | None = None
    error: str | None = None


class Emotions(BaseModel):
    labels: list[str] = Field(description="Those above their own threshold, most probable first.")
    probabilities: dict[str, float] = Field(description="All 28 GoEmotions labels, each its own sigmoid.")
    error: str | None = None


class Theme(BaseModel):
    theme: str
    label: str = Field(description="The theme in words.")
    sentiment: Label | None
    score: float | None = Field(description="Positive minus negative probability of the evidence.")
    problem: str | None = Field(None, description="Of the library, what a complaint is a case of; null: none is sure.")
    evidence: str = Field(description="Verbatim: text[start:end].")
    start: int = Field(description="Of the evidence in text, in Unicode code points.")
    end: int


class Feedback(BaseModel):
    """Advice for the business."""

    text: str | None
    suggestions: list[str]
    ballots: list[str] = Field([], description="One per suggestion, to send with a vote on it.")
    truncated: bool = Field(description="Cut by the model's token limit.")
    error: str | None = None


class Analysis(BaseModel):
    review_id: str = Field(
        description="A hash of what was sent; the same as in the warehouse for a review without date and product."
    )
    text: str = Field(description="The review with broken encoding and markup mended; evidence refers to it.")
    read_to: int | None = Field(
        description="null: all of the text was read. Else only text[:read_to] was, since the rest costs too much at once."
    )
    language: str | None
    stars: float | None
    sentiment: Sentiment
    emotions: Emotions
    themes: list[Theme]
    unhappy: bool = Field(description="Negative, or no more stars than the profile counts as unhappy.")
    feedback: Feedback | None = Field(description="null for a happy review, and where generate is false.")
    reply: str | None = Field(
        description="A draft for an unhappy review, to be read before it is sent; null elsewhere and where generate is false."
    )
    reply_say: str | None = Field(
        None,
        description="What a public reply to the gravest known problem must say; null: none is known, or no reply is drafted.",
    )
    reply_avoid: str | None = Field(None, description="What it must not say.")
    models: dict[str, str | None] = Field(description="Which model made which part.")


class FieldReading(BaseModel):
    """How one field of a file was read."""

    name: str
    column: str
    how: str = Field(description="The star scale, or which of day and month comes first; empty elsewhere.")
    filled: int = Field(description="Records that have a value.")
    understood: int = Field(description="Of those, the ones whose value could be read.")


State = Literal["queued", "running", "done", "failed"]


class Job(BaseModel):
    job_id: str
    state: State
    detail: str | None = Field(default=None, description="Why a job failed.")
    created_at: AwareDatetime
    finished_at: AwareDatetime | None = None
    rows: int | None = Field(default=None, description="Records of the file; null until it was read.")
    done: int = Field(default=0, description="Rows that have a result.")
    analyzed: int = 0
    rejected: int = 0
    duplicates: int = 0
    columns: dict[str, str] = Field(default={}, description="Which column was taken for what.")
    fields: list[FieldReading] = Field(default=[], description="How each of these columns was read.")
    notes: list[str] = Field(default=[], description="What to look at before relying on the results.")


Filter = Annotated[str | None, StringConstraints(max_length=200)]


class InsightsQuery(BaseModel):
    """Which reviews of the warehouse, and which page of them."""

    limit: int = Field(default=50, ge=1, le=200)
    after: str | None = Field(default=None, max_length=200, description="`next` of the page before.")
    business: Filter = None
    product: Filter = None
    language: Annotated[str | None, StringConstraints(pattern="^[a-z]{2}$")] = None
    sentiment: Label | None = None
    theme: Filter = None
    emotion: Filter = None
    min_stars: float | None = Field(default=None, ge=1, le=5, allow_inf_nan=False)
    max_stars: float | None = Field(default=None, ge=1, le=5, allow_inf_nan=False)
    since: date | None = None
    until: date | None = None
    contains: str | None = Field(default=None, max_length=200, description="Words in the text, in any case.")


class Insight(BaseModel):
    """A row of the view `insights`."""

    review_id: str
    source: str | None = Field(description="Name of the file it came from.")
    business: str | None
    product: str | None
    reviewed_at: Moment | None
    language: str | None
    stars: float | None
    text: str
    sentiment: Label | None
    sentiment_score: float | None
    emotions: list[str] | None
    themes: list[str]
    feedback: str | None
    suggestions: list[str] | None
    feedback_role: str | None
    feedback_model: str | None
    rating_only: bool = Field(description="Stars without words; then nothing was judged.")


class Insights(BaseModel):
    items: list[Insight]
    next: str | None = Field(description="Give it as `after` for the next page; null: this is the last one.")


class Quote(BaseModel):
    evidence: str
    business: str | None
    day: date | None
    stars: float | None
    review_id: str


class Action(BaseModel):
    problem: str = Field(description="Its id in the library of problems.")
    name: str
    action: str = Field(description="The remedy for good.")
    cause: str = Field(description="What usually lies behind the problem.")
    who: str = Field(description="Should act.")
    effort: str = Field(description="talk, purchase or project.")
    measure: str = Field(description="The number that shows whether it helps.")
    reviews: int = Field(description="Reviews that complain of it.")
    review_ids: list[str]


class PainPoint(BaseModel):
    theme: str
    mentions: int
    share: float = Field(description="Of the reviews with words.")
    quotes: list[Quote]
    share_low: float = Field(description="Of the share's 95 % interval.")
    share_high: float
    trend: str = Field(description="Of the last four weeks against the four before, in words.")
    actions: list[Action]


class PainPoints(BaseModel):
    items: list[PainPoint]


class Vote(BaseModel):
    """What somebody thinks of a suggestion. A later vote of the same voter replaces the earlier one; 0 takes it back."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "review_id": "0123456789abcdef",
                    "suggestion": "Tell guests how long the wait will be before they sit down.",
                    "model": "playbook",
                    "ballot": "00112233445566778899aabbccddeeff",
                    "vote": 1,
                    "voter": "browser-1",
                }
            ]
        },
    )

    review_id: str = Field(pattern=r"^[0-9a-f]{16}$")
    suggestion: str = Field(min_length=1, max_length=2000)
    model: str = Field("", max_length=200)
    ballot: str = Field(pattern=r"^[0-9a-f]{32}$", description="As it came with the suggestion.")
    vote: Literal[-1, 0, 1]
    voter: str = Field(
        pattern=r"^[A-Za-z0-9_-]{1,64}$", description="Anything that stays the same, such as a random id."
    )


class Health(BaseModel):
    status: Literal["ok"]


class Ready(BaseModel):
    status: Literal["ready"]
    profile: str
    version: str
    warehouse: bool = Field(description="Whether there is a published warehouse to read.")
