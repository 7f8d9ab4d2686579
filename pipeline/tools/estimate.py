"""run --estimate: what the teacher would be asked and what that may cost, without asking it.

How many reviews are unhappy is known only once they have been read: the stages before `feedback` run in a copy of the warehouse that is
thrown away. Prompts are rendered as they would be sent; what they and the answers have in tokens follows earlier answers
of the same model in this warehouse (`@usage`), or else a rule of thumb.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.advice.phrases import advice_language
from pipeline.advice.request import request
from pipeline.core import prompts, usage
from pipeline.core.lock import writing
from pipeline.core.profile import Feedback, Profile
from pipeline.core.stage import Context, fingerprint
from pipeline.core.warehouse import Warehouse, open_read_only, sql_file, work_path
from pipeline.ingest.sources_file import Source
from pipeline.ingest.understanding import IngestOptions
from pipeline.run import run
from pipeline.stages.distill import SPLITS
from pipeline.stages.feedback import FEEDBACK
from pipeline.text.script import CHARACTERS, weight
from pipeline.themes.taxonomy import taxonomy_file

_PAIRS = 5  # texts per test review that a judge compares with the teacher's, each in both orders
_SERVERS = ("openai",)  # backends that send reviews away


@dataclass(frozen=True)
class Estimate:
    """Of the requests that a run would send to its teacher."""

    reviews: int  # pending
    model: str
    where: str  # the server's host, or "this machine"
    prompt_tokens: int
    completion_tokens: int  # a bound if nothing was measured: every answer as long as it may be
    cost: float | None  # in the currency of the profile's prices
    measured: int  # answers of this model that the figures follow; 0: a rule of thumb
    may_ask_again: bool  # answers are checked, and each is asked for at most twice
    judge_requests: int  # at most; in no other figure

    def as_text(self) -> list[str]:
        """The same, a line each."""
        if not self.reviews:
            return [f"No review is pending for {self.model}: nothing would be sent."]
        rule = f"{CHARACTERS} characters a token, answers of full length: nothing was measured yet"
        how = f"as in {self.measured:,} earlier answers of this model" if self.measured else rule
        lines = [
            f"{self.reviews:,} reviews would go to {self.model} on {self.where}.",
            f"About {self.prompt_tokens:,} tokens in and {'' if self.measured else 'at most '}{self.completion_tokens:,} out ({how}).",
            "Cost: no price in the profile ([feedback] input_price, output_price, per million tokens)."
            if self.cost is None
            else f"Cost: {'about' if self.measured else 'at most about'} {self.cost:.2f}, by the profile's prices.",
        ]
        if self.may_ask_again:
            lines.append("Answers that fail their checks are asked for once more: up to twice as much.")
        if self.judge_requests:
            lines.append(f"The judge is asked besides, at most {self.judge_requests:,} times.")
        return lines


def estimate(
    reviews: Sequence[str] | Sequence[Source],
    warehouse_path: Path,
    profile: Profile,
    options: IngestOptions,
    progress: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> Estimate:
    """What a run on these reviews would ask. Changes nothing; raises what `run` raises for unusable input."""
    config = profile.feedback
    if config.backend == "playbook":
        return Estimate(0, "the playbook", "this machine", 0, 0, None, 0, False, 0)
    with tempfile.TemporaryDirectory(prefix="review-insights-") as folder:
        copy = Path(folder) / "estimate.duckdb"
        _copy(warehouse_path, copy)
        run(reviews, copy, profile, options, until="themes", progress=progress)
        with contextlib.closing(open_read_only(copy)) as warehouse:
            return _of_pending(warehouse, profile)


def _copy(path: Path, copy: Path) -> None:
    """The warehouse as the next run would find it: with what a run that was stopped has left, and its salt."""
    work = work_path(path)
    if not work.exists() and not path.exists():
        return
    with writing(path):
        source, target = (work, work_path(copy)) if work.exists() else (path, copy)
        pairs = {source: target, Path(f"{source}.wal"): Path(f"{target}.wal")}
        pairs[path.with_name(path.name + ".salt")] = copy.with_name(copy.name + ".salt")
        for one, other in pairs.items():
            if one.exists():
                shutil.copyfile(one, other)


def _of_pending(warehouse: Warehouse, profile: Profile) -> Estimate:
    config = profile.feedback
    parameters = {"fingerprint": fingerprint(FEEDBACK, profile), **FEEDBACK.params(profile)}
    rows = warehouse.query(sql_file("stages", "feedback.sql"), parameters)
    language, taxonomy = advice_language(Context(profile, warehouse, "", "", Path())), taxonomy_file(profile)
    texts = [request(row, config.prompt, taxonomy=taxonomy, language=language).prompt for row in rows]  # type: ignore[arg-type]
    model = _model(config)
    answers, prompt_tokens, completion_tokens = _measured(warehouse, model, texts) or (
        0,
        sum(map(weight, texts)) // CHARACTERS,
        len(texts) * config.max_new_tokens,
    )
    tests = profile.distill.max_examples * SPLITS["test"] // 100
    return Estimate(
        reviews=len(texts),
        model=model,
        where=urlsplit(config.base_url).hostname or "?" if config.backend in _SERVERS else "this machine",
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        cost=usage.cost((prompt_tokens, completion_tokens), (config.input_price, config.output_price)),
        measured=answers,
        may_ask_again=prompts.asks_for_json(config.prompt),
        judge_requests=2 * _PAIRS * tests if profile.judge.backend != "none" else 0,
    )


def _model(config: Feedback) -> str:
    """Its name in the warehouse."""
    if config.backend == "gguf":
        return Path(config.model).stem
    return Path(config.model).name if Path(config.model).is_dir() else config.model


def _measured(warehouse: Warehouse, model: str, texts: Sequence[str]) -> tuple[int, int, int] | None:
    """(answers that were counted, tokens of these prompts, tokens of their answers) as so far; None: there were none."""
    (row,) = warehouse.query(
        "SELECT coalesce(sum(requests), 0)::BIGINT AS n, sum(prompt_tokens) / sum(prompt_characters) AS each, "
        "sum(completion_tokens) / sum(requests) AS out FROM store.usage WHERE stage = 'feedback' AND model = ?",
        [model],
    )
    if not row["n"] or not row["each"]:
        return None
    return row["n"], round(sum(map(len, texts)) * row["each"]), round(len(texts) * row["out"])
