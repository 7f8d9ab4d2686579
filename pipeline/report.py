"""The report: one self-contained HTML page, Markdown, Parquet, CSV, XLSX and JSON in a dated folder that appears in one step.

Every number comes from a named query in `warehouse/queries/`. The same warehouse and date give the same bytes.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import os
import re
import shutil
import tempfile
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from pipeline import charts, check, complaints, export, queries, reply, themes, votes
from pipeline.assets import PACKAGE
from pipeline.errors import InputError
from pipeline.labels import EMOTIONS
from pipeline.stage import now
from pipeline.warehouse import Warehouse, open_read_only, read

if TYPE_CHECKING:
    from pipeline.run import RunResult

FEWEST, MOST = 4, 100  # reviews a business must have for a report of its own, and how many get one
OF_A_THEME = 2  # actions that one theme may have in the list of all

METRICS = {
    "bleurt": "BLEURT",
    "bertscore_f1": "BERTScore F1",
    "meteor": "METEOR",
    "grounding": "Grounding (reciprocal rank)",
    "grounding_r1": "Grounding (found first of 100)",
    "judge": "Judge (prefers it to the teacher's)",
}
SIGNALS = {
    "prompt_echo": "prompt echoed",
    "copied_share": "copied",
    "repetition": "repeated",
    "length_ratio": "length",
    "unfinished": "unfinished",
    "truncated": "cut by token limit",
    "wrong_language": "wrong language",
    "failed": "failed",
    "bleurt_cut": "not read to the end by BLEURT",
    "bertscore_cut": "by BERTScore",
}
ROLES = {
    "teacher": "teacher",
    "student": "tuned student",
    "student_base": "base student",
    "control_constant": "control: one constant text",
    "control_nearest": "control: nearest review's text",
    "control_shuffled": "control: shuffled texts",
}


@dataclass(frozen=True)
class Scope:
    """Which reviews a report is about. `until` is the last day that counts; None means all."""

    business: str | None = None
    product: str | None = None
    language: str | None = None
    since: date | None = None
    until: date | None = None


def write(
    warehouse_path: Path,
    out: Path,
    day: date | None = None,
    *,
    scope: Scope | None = None,
    per_business: bool = False,
    emotion_groups: Path | None = None,
    baselines: Path | None = None,
) -> Path:
    """Writes `out/YYYY-MM-DD/` from the published warehouse, replacing an older one of that date, and returns it.

    `per_business`: also `businesses/NAME/` in it, for each that has FEWEST reviews or more, at most MOST of them.
    Raises InputError for a warehouse or a file of groups that cannot be read, and where `out` cannot be written.
    """
    scope, day = scope or Scope(), day or now().date()
    groups = _groups(emotion_groups) if emotion_groups else None
    if scope.since and scope.until and scope.since > scope.until:
        raise InputError(f"--since {scope.since} is after --until {scope.until}: no day lies between them.")
    warehouse = open_read_only(warehouse_path)
    try:
        content = gather(warehouse, scope, groups) | {"day": day}
        content["check"] = _checked(warehouse, warehouse_path, baselines)
        try:
            out.mkdir(parents=True, exist_ok=True)
            scratch = Path(tempfile.mkdtemp(prefix=".report-", dir=out))
        except OSError as error:
            raise InputError(f"--out {out}: {error.strerror}. Name a folder that can be written.") from error
        try:
            own = _businesses(warehouse, scope) if per_business else []
            content["own_reports"] = {name: f"businesses/{_slug(name)}/report.html" for name in own}
            _write_files(scratch, warehouse, scope, content)
            for name in own:
                folder = scratch / "businesses" / _slug(name)
                folder.mkdir(parents=True)
                one = replace(scope, business=name)
                # Models, rejects and the check are about the whole warehouse: the main report has them.
                _write_files(folder, warehouse, one, gather(warehouse, one, groups) | {"day": day, "brief": True})
            return _into_place(scratch, out / day.isoformat())
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    finally:
        warehouse.close()


def _into_place(scratch: Path, folder: Path) -> Path:
    scratch.chmod(0o755)
    old = None
    if folder.exists():
        old = Path(tempfile.mkdtemp(prefix=".old-", dir=folder.parent))
        os.replace(folder, old / folder.name)
    os.replace(scratch, folder)
    if old:
        shutil.rmtree(old)
    return folder


def _write_files(folder: Path, warehouse: Warehouse, scope: Scope, content: Mapping[str, Any]) -> None:
    for name in ("report.html", "report.md"):
        text = template(f"{name}.jinja").render(content)
        # Lone surrogates cannot be written; no browser could show them either.
        (folder / name).write_text(text, encoding="utf-8", errors="replace")
    names, types, rows = _insights(warehouse, scope)
    export.write({form: folder / f"insights.{form}" for form in export.FORMATS}, names, types, rows)


def _insights(warehouse: Warehouse, scope: Scope) -> tuple[list[str], list[str], Iterator[tuple[Any, ...]]]:
    """The view `insights` with a reply draft for each unhappy review."""
    query = queries.load("insights")
    result = read(warehouse, query.sql, query.bind(asdict(scope)))
    at = {name: place for place, name in enumerate(result.names)}
    spoken = {row["review_id"]: row["themes"] for row in _named(warehouse, scope, "theme_evidence")}
    labels = _labels()

    def rows() -> Iterator[tuple[Any, ...]]:
        for row in result.rows:
            if row[at["review_id"]] not in spoken:
                yield (*row, None, None)
                continue
            review = {name: row[at[name]] for name in ("text", "language", "business")}
            made = reply.draft(review | {"themes": spoken[row[at["review_id"]]]}, labels)
            yield (*row, made.text, made.language)

    return [*result.names, "reply", "reply_language"], [*result.types, "VARCHAR", "VARCHAR"], rows()


def _named(warehouse: Warehouse, scope: Scope, name: str, **more: Any) -> list[dict[str, Any]]:
    query = queries.load(name)
    given = {key: value for key, value in (asdict(scope) | more).items() if key in query.parameters}
    return warehouse.query(query.sql, query.bind(given))


def gather(warehouse: Warehouse, scope: Scope | None = None, groups: str | None = None) -> dict[str, Any]:
    """Everything the templates show, from the named queries. `groups`: further groups of emotions, as JSON."""
    scope = scope or Scope()
    named = functools.partial(_named, warehouse, scope)
    labels = _labels()
    # Nearly every query reads these views: computed once, they take a fraction of the time.
    for view in ("insights", "complaints"):
        warehouse.query(f"CREATE TEMP TABLE IF NOT EXISTS {view} AS SELECT * FROM main.{view}")
    actions = named("actions", limit=1000)
    made, latest = named("made_by"), named("latest_run")
    headline = named("headline")[0]
    long = headline["dated"] and (headline["last_day"] - headline["first_day"]).days > 120
    answers = [
        row | {"reply": reply.draft(row, labels), "complaint": (row["themes"] or [{}])[0].get("evidence")}
        for row in named("needs_answer", limit=10)
    ]
    content = {
        "scope": scope,
        "scoped": any(asdict(scope).values()),
        "brief": False,
        "check": None,
        "own_reports": {},
        "day": None,
        "labels": labels,
        "headline": headline,
        "latest": latest[0] if latest else None,
        "ingested": named("ingested")[0],
        "changed": named("what_changed", limit=8),
        "weekly": named("week_over_week"),
        "pains": pain_points(warehouse, scope, actions),
        "worse": named("getting_worse", limit=5),
        "better": named("getting_better", limit=5),
        "discovered": named("discovered_themes", limit=6),
        "actions": _at_most(actions, OF_A_THEME)[:8],
        "answers": answers,
        "waiting": answers[0]["waiting"] if answers else 0,
        "period": "month" if long else "week",
        "periods": [row | {"name": row["month" if long else "week"]} for row in named("months" if long else "weeks", limit=13)],
        "businesses": named("businesses", limit=20) if not scope.business else [],
        "products": named("products", limit=10) if not scope.product else [],
        "languages": named("languages"),
        "emotions": named("emotions"),
        "emotion_groups": named("emotion_groups", groups=groups),
        "sentiments": named("sentiments"),
        "praise": named("praise", limit=5),
        "classifier": named("classifier_quality"),
        "metrics": named("model_quality"),
        "signals": named("quality_signals"),
        "verdict": verdict(named("student_verdict")),
        "rejected": named("rejects_by_reason", limit=30),
        "errors": named("errors", limit=30),
        "made": made[0] if made else None,
        "environment": json.loads(made[0]["environment"] or "{}") if made else {},
        "fingerprints": [row for row in made if row["stage"]],
        "metric_names": METRICS,
        "signal_names": SIGNALS,
        "role_names": ROLES,
        "votes": votes.summary(warehouse.path),
    }  # fmt: skip
    return content | {"charts": _charts(content, named)}


def pain_points(
    warehouse: Warehouse, scope: Scope | None = None, actions: Sequence[dict[str, Any]] | None = None
) -> list[dict[str, Any]]:
    """Rows of the query `top_pain_points`, each with two `quotes` that prove it and `actions` to take."""
    named = functools.partial(_named, warehouse, scope or Scope())
    actions = named("actions", limit=1000) if actions is None else actions
    pains, shown = [], set[str]()
    for row in named("top_pain_points", limit=8):
        quotes = _telling(named("quotes", theme=row["theme"], limit=200), shown)[:2]
        shown |= {quote["evidence"] for quote in quotes}
        pains.append(row | {"quotes": quotes, "actions": chosen(actions, "theme", row["theme"])[:OF_A_THEME]})
    return pains


def page(warehouse: Warehouse) -> str:
    """The HTML report of an open warehouse."""
    return template("report.html.jinja").render(gather(warehouse) | {"day": now().date()})


def _telling(quotes: Sequence[dict[str, Any]], shown: AbstractSet[str]) -> list[dict[str, Any]]:
    """Those first that say badly what many say: how negative the clause is times how much its words recur in the others;
    less of reviews with four or five stars. Without those that stand elsewhere already: a clause can speak of two themes.
    """
    fresh = [quote for quote in quotes if quote["evidence"] not in shown] or list(quotes)
    words = [complaints.stems(quote["evidence"]) for quote in fresh]
    often = Counter(itertools.chain.from_iterable(words))

    def worth(at: int) -> float:
        quote, length = fresh[at], len(fresh[at]["evidence"])
        told = sum(often[word] - 1 for word in words[at]) / (len(words[at]) + 3)
        badly = max(0.0, -(quote["score"] or 0.0)) * (0.3 if (quote["stars"] or 0) >= 4 else 1)
        return (0.1 + badly) * (1 + told) * (1 if 30 <= length <= 160 else 0.4)

    return [fresh[at] for at in sorted(range(len(fresh)), key=worth, reverse=True)]


def chosen(rows: Sequence[dict[str, Any]], key: str, value: Any) -> list[dict[str, Any]]:
    return [row for row in rows if row[key] == value]


def _at_most(actions: Sequence[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """The first `most` of each theme, in order."""
    taken: dict[str | None, int] = {}
    kept = []
    for action in actions:
        taken[action["theme"]] = taken.get(action["theme"], 0) + 1
        if taken[action["theme"]] <= most:
            kept.append(action)
    return kept


@functools.cache
def _labels() -> dict[str, str]:
    return {aspect.id: aspect.label for aspect in themes.load_aspects()}


def _groups(path: Path) -> str:
    """A TOML file of tables (schemes) that give a name to lists of emotions, as the JSON that @emotion_groups takes."""
    try:
        schemes = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"--emotion-groups {path} cannot be read: {' '.join(str(error).split())}") from error
    rows = []
    for scheme, members in schemes.items():
        if not isinstance(members, dict):
            raise InputError(
                f'--emotion-groups {path}: write a table per scheme: [{scheme}] upset = ["anger", "annoyance"]'
            )
        for name, emotions in members.items():
            if not isinstance(emotions, list) or (strange := [word for word in emotions if word not in EMOTIONS]):
                what = f"{strange[0]!r} is none" if isinstance(emotions, list) else "a list is wanted"
                raise InputError(f"--emotion-groups {path}: {scheme}.{name}: {what}. Emotions: {', '.join(EMOTIONS)}")
            rows += [{"scheme": scheme, "name": name, "emotion": emotion} for emotion in emotions]
    return json.dumps(rows)


def _businesses(warehouse: Warehouse, scope: Scope) -> list[str]:
    rows = _named(warehouse, scope, "businesses", limit=1_000_000)
    enough = sorted((-row["reviews"], row["business"]) for row in rows if row["reviews"] >= FEWEST)
    return sorted(name for _, name in enough[:MOST])


def _slug(name: str) -> str:
    """A folder name that every system takes; the hash keeps apart what looks alike."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    mark = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{re.sub('[^a-z0-9]+', '-', plain).strip('-')[:40]}-{mark}".strip("-")


def _checked(warehouse: Warehouse, path: Path, baselines: Path | None) -> list[str]:
    """The check's verdict on the latest run, line by line; nothing where there is no run or no baseline."""
    runs = _named(warehouse, Scope(), "latest_run")
    try:
        found = check.verdict_if_recorded(path, runs[0]["profile"], baselines) if runs else None
    except InputError as error:
        return [str(error)]
    return found.as_text().splitlines() if found else []


def verdict(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """In words: whether the tuned student beats the base and each control, on METEOR and grounding at once."""
    lines = []
    for row in rows:
        numbers = ", ".join(
            f"{name} {row[f'student_{metric}']:.3f} against {row[f'other_{metric}']:.3f} ({_interval(row, metric)})"
            for name, metric in (("METEOR", "meteor"), ("grounding", "grounding"))
        )
        numbers += f", {row['n']} test reviews"
        says = "beats" if row["beaten"] else "is as good as" if row["passed"] else "does not beat"
        lines.append(f"The tuned student {says} the {ROLES[row['role']]}: {numbers}.")
    return lines


def _interval(row: Mapping[str, Any], metric: str) -> str:
    """Of the paired difference; one review alone has none."""
    low, high = row[f"{metric}_low"], row[f"{metric}_high"]
    return "difference unknown" if low is None else f"difference {low:+.3f} to {high:+.3f}"


def _charts(content: Mapping[str, Any], named: Any) -> dict[str, str]:
    scores = named("scores")

    def column(role: str, metric: str) -> list[float]:
        return [row[metric] for row in scores if row["role"] == role and row[metric] is not None]

    def name(theme: str) -> str:
        return content["labels"].get(theme, theme.replace("_", " "))

    points = [
        (row["bertscore_f1"], row["bleurt"], row["meteor"])
        for row in scores
        if row["role"] == "student" and None not in (row["bertscore_f1"], row["bleurt"], row["meteor"])
    ]
    period = content["period"]
    judged = [row for row in content["periods"] if row["judged"]]
    words = named("word_counts")
    result = {
        "pains": charts.shares(
            "Share of reviews that complain, with 95 % interval",
            [(name(row["theme"]), row["share"], row["share_low"], row["share_high"]) for row in content["pains"]],
        ),
        "trend": charts.line(
            f"Negative share by {period}, with 95 % interval",
            [(row["name"], row["negative_share"], row["negative_low"], row["negative_high"]) for row in judged],
        ),
        "sentiment": charts.bars("Reviews by sentiment", [(row["name"], row["n"]) for row in content["sentiments"]]),
        "stars": charts.columns("Reviews by stars", [(f"{row['stars']} ★", row["n"]) for row in named("stars")]),
        "emotions": charts.bars("Reviews by emotion", [(row["name"], row["n"]) for row in content["emotions"]]),
        "labels": charts.columns("Reviews by number of emotions", [(str(row["emotions"]), row["n"]) for row in named("emotion_counts")]),
        "words": charts.columns("Reviews by length, in words", [(f"{row['at_least']}+", row["n"]) for row in words]),
        "alignment": charts.scatter(
            "BLEURT against BERTScore of the tuned student, coloured by METEOR",
            points,
            "BERTScore F1",
            "BLEURT",
            "METEOR",
        ),
    }  # fmt: skip
    for metric in ("bleurt", "bertscore_f1", "meteor", "grounding"):
        series = [(role_name.removeprefix("control: "), column(role, metric)) for role, role_name in ROLES.items()]
        result[metric] = charts.histograms(f"{METRICS[metric]} per text", [item for item in series if item[1]])
    titles = {"ekman": "Ekman's seven", "sentiment": "Positive, negative, ambiguous"}
    for scheme in sorted({row["scheme"] for row in content["emotion_groups"]}):
        rows = [row for row in content["emotion_groups"] if row["scheme"] == scheme]
        title = titles.get(scheme, scheme)
        values = [(row["name"], row["share"], row["share_low"], row["share_high"]) for row in rows]
        result[f"group {title}"] = charts.shares(f"Emotions: {title}, with 95 % interval", values)
    return result


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %" if value >= 0.1 or value == 0 else f"{100 * value:.1f} %"


def _between(low: float | None, high: float | None) -> str:
    """An interval of a share: "9 to 17 %"."""
    return "" if low is None or high is None else f"{_percent(low).removesuffix(' %')} to {_percent(high)}"


def _days(first: date, last: date) -> str:
    end = f"{last.day} {last:%B %Y}"
    if first == last:
        return end
    return f"{first.day} {first:%B} to {end}" if first.year == last.year else f"{first.day} {first:%B %Y} to {end}"


def _markdown(text: Any) -> str:
    """Text that Markdown shows as it is: one line, every character with a meaning of its own escaped."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|&~$^=-])", r"\\\1", " ".join(str(text).split()))


@functools.cache
def template(name: str) -> jinja2.Template:
    """A file of pipeline/templates, with the filters of `environment`; HTML is escaped."""
    return environment(PACKAGE / "templates").get_template(name)


def environment(folder: Path) -> jinja2.Environment:
    """Templates that escape everything in HTML and stumble over a name they do not know."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=lambda template: bool(template and ".html" in template),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = _percent
    environment.filters["number"] = lambda value, digits=2: "–" if value is None else f"{value:.{digits}f}"
    environment.filters["signed"] = lambda value, digits=1: "–" if value is None else f"{value:+.{digits}f}"
    environment.filters["md"] = _markdown
    environment.filters["days"] = lambda first, last: _days(first, last)
    environment.globals.update(between=_between, chosen=chosen)
    environment.filters["named"] = complaints.name  # identifiers of a data set are no names
    environment.filters["words"] = lambda name: name.replace("_", " ")
    return environment


def facts(result: RunResult, folder: Path | None) -> dict[str, Any]:
    """What `run` tells at its end: numbers for machines, and under "table" the same in words for people."""
    warehouse = open_read_only(result.warehouse)
    try:
        content = gather(warehouse)
    finally:
        warehouse.close()
    headline, ingested = content["headline"], content["ingested"]
    counts = {name: ingested[name] or 0 for name in ("rows", "accepted", "rejected", "duplicates")}
    share = headline["negative"] / headline["judged"] if headline["judged"] else None
    scores: dict[str, dict[str, float]] = {}
    for row in content["metrics"]:
        scores.setdefault(row["role"], {})[row["metric"]] = round(row["mean"], 4)
    emotions = [f"{row['name']} {row['n']}" for row in content["emotions"][:5]]
    hurts = [f"{row['theme'].replace('_', ' ')} {row['mentions']}" for row in content["pains"][:5]]
    table = [
        ["reviews in", f"{counts['rows']}: {counts['accepted']} accepted, {counts['rejected']} rejected, {counts['duplicates']} duplicates"],
        ["negative", "nothing judged" if share is None else f"{share:.0%} of the {headline['judged']} that could be judged"],
        ["top emotions", ", ".join(emotions) or "none"],
        ["top complaints", ", ".join(hurts) or "none"],
    ]  # fmt: skip
    for role, name in ROLES.items():
        if role in scores:
            values = [
                f"{METRICS[m].split(' (')[0]} {scores[role][m]:.3f}"
                for m in METRICS
                if m in scores[role] and m != "grounding_r1"
            ]
            table.append([name, ", ".join(values)])
    table += [["verdict", line] for line in content["verdict"] if "does not beat" in line] or (
        [["verdict", "the tuned student beats every control: its text is shown"]] if content["verdict"] else []
    )
    table.append(["this run", f"{result.rows_written} rows written in {sum(result.seconds.values()):.0f} s"])
    files = {"report": str(folder / "report.html")} if folder else {}
    return {
        "run_id": result.run_id,
        "rows_written": result.rows_written,
        "reviews": headline["reviews"],
        **counts,
        "negative_share": share,
        "top_emotions": [row["name"] for row in content["emotions"]],
        "top_themes": [row["theme"] for row in content["pains"]],
        "scores": scores,
        "verdict": content["verdict"],
        "seconds": result.seconds,
        "stages": {stage.name: {"written": stage.written, "failed": stage.failed} for stage in result.stages},
        "table": table,
        "files": files | {"warehouse": str(result.warehouse)},
    }
