"""What the student learns from: reviews, and feedback on findings by the playbook, by Mistral-7B and by us.

The findings come from the pipeline itself, run up to `feedback`. Reviews whose hash falls into the test split (`split_of`)
are left out throughout.
"""

from __future__ import annotations

import csv
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.advice.complaints import find_complaints
from pipeline.advice.phrases import ENGLISH
from pipeline.advice.problems import in_language, load_problems
from pipeline.advice.writer import Playbook
from pipeline.core.profile import load as load_profile
from pipeline.core.warehouse import open_read_only
from pipeline.ingest.understanding import IngestOptions
from pipeline.run import run
from pipeline.text.repair import repair
from pipeline.themes.taxonomy import load_aspects
from pipeline.training.fit import SEED, split_of
from pipeline.training.reader import corpora
from pipeline.training.reader.examples import spans

NAMES = (
    "Blue Golden Green Little Grand Old Royal Corner Sunny North River Harbor Maple Silver Urban Happy Red Lucky Oak Stone",
    "Kitchen Hotel Cafe Grill Store Market Lodge Bistro Clinic Garage Salon Airways Bank Boutique Bakery Pharmacy Gym Resort",
)
_FEELINGS: tuple[list[str], ...] = (
    ["annoyance"],
    ["anger"],
    ["disappointment"],
    ["annoyance", "disappointment"],
    ["disapproval"],
    ["disgust"],
    ["sadness"],
    [],
)
_PROMPT = re.compile(r"left us a (\d)-star review: ['\"](.*)['\"] The customer feels (.*?)\. Concisely", re.DOTALL)
_ASKED = "for this customer's experience?"  # the end of the question; the answer comes after it


Unhappy = tuple[str, float, str]  # text, stars, business


@dataclass(frozen=True)
class Answer:
    """Feedback that was written about a review. `quoted`: what the markers `[1]`, ... of the answer stand for: sentences of the
    review, and the problems of the library that each is a case of; empty: the answer has no markers.
    """

    stars: float | None
    answer: str
    quoted: tuple[tuple[str, tuple[str, ...]], ...] = ()


Written = Mapping[str, Answer]  # by the review's text


def written(data: Path) -> dict[str, Written]:
    """What large models wrote: Mistral's texts of the original project, and ours; without reviews of the test split."""
    writers = {"mistral": read_pairs(data), "ours": read_ours(data)}
    return {
        name: {text: one for text, one in found.items() if split_of(text) != "test"} for name, found in writers.items()
    }


def read_pairs(data: Path) -> dict[str, Answer]:
    """The original project's reviews, each with one of Mistral's texts."""
    csv.field_size_limit(10**9)
    found: dict[str, Answer] = {}
    for name, prompt, output in (
        ("yelp_mistral_999.csv", "prompt", "response"),
        ("yelp_mistral_163.csv", "input", "mistral_output"),
        ("phi2_vs_mistral_500.csv", "input", "mistral_output"),
    ):
        with (data / "seed" / name).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                match = _PROMPT.search(row[prompt])
                answer = row[output].rpartition(_ASKED)[2].replace("[/INST]", "").strip()
                if match and len(answer) > 80:
                    # The original text is preferred: in the prompt its line breaks became the letter n.
                    text = repair(row.get("text") or re.sub(r" n ?n(?=[a-z ])", "\n\n", match[2]))
                    found[text] = Answer(float(match[1]), answer)
    return found


def read_ours(data: Path) -> dict[str, Answer]:
    """`labels/advice.jsonl`: written by us about reviews of DATA, with markers for the sentences that they answer."""
    found = {}
    for row, record, text in corpora.reviews_of(data, corpora.json_lines(corpora.LABELS / "advice.jsonl")):
        sentences = spans(text)
        quoted = (
            (text[slice(*sentences[s])], tuple(names))
            for s, names in zip(row["sentences"], row["problems"], strict=True)
        )
        found[text] = Answer(corpora.stars_of(record), row["text"], tuple(quoted))
    return found


def on_findings(row: Mapping[str, Any], one: Answer) -> tuple[Mapping[str, Any], str]:
    """(row, answer): what a writer was told stands in the row in place of what the pipeline found, and its markers are those
    that the row's slots have. A marker without a slot disappears.
    """
    if not one.quoted:
        return row, one.answer
    theme_of = {problem.id: problem.theme for problem in load_problems()}
    told = [
        {"theme": theme_of[names[0]], "evidence": sentence, "sentiment": "negative", "score": -0.9, "problem": names[0]}
        for sentence, names in one.quoted
    ]
    changed = {**row, "themes": told}
    aspects = {aspect.id: aspect for aspect in load_aspects()}
    complaints = [c.evidence for c in find_complaints(changed, aspects, in_language(ENGLISH))]  # type: ignore[arg-type]
    places = {sentence: complaints.index(sentence) + 1 for sentence, _ in one.quoted if sentence in complaints}
    numbers = {str(n): places.get(sentence) for n, (sentence, _) in enumerate(one.quoted, 1)}
    answer = re.sub(r" ?\[([1-9])\]", lambda m: f" [{numbers[m[1]]}]" if numbers.get(m[1]) else "", one.answer)
    return changed, answer.strip()


def of_the_library(most: int = 9000) -> Iterator[dict[str, Any]]:
    """Made-up reviews of one to three of the library's English sentences, all of one trade, with the playbook's text as
    `completion`: every problem about as often as any other.
    """
    rng, playbook = random.Random(SEED), Playbook()
    problems = load_problems()
    for number in range(most):
        first = problems[number % len(problems)]
        others = [other for other in problems if set(other.trades) & set(first.trades) and other is not first]
        chosen = [first, *rng.sample(others, min(len(others), rng.choice((0, 1, 1, 2))))]
        rng.shuffle(chosen)
        said = [rng.choice(dict(problem.say)["en"]) for problem in chosen]
        row: dict[str, Any] = {
            "text": " ".join(said),
            "stars": float(rng.choice((1, 1, 2, 2, 3))),
            "language": "en",
            "emotions": rng.choice(_FEELINGS),
            "business": _name(rng) if rng.random() < 0.4 else None,
            "themes": [
                {
                    "theme": problem.theme,
                    "evidence": sentence,
                    "sentiment": "negative",
                    "score": -rng.random(),
                    "problem": problem.id,
                }
                for problem, sentence in zip(chosen, said, strict=True)
            ],
        }
        if split_of(row["text"]) != "test":
            yield row | {"completion": playbook.compose(row)[0]}  # type: ignore[arg-type]


def review_texts(data: Path) -> list[str]:
    """The reviews of the first phase."""
    texts = [row.text for row in corpora.stars(data)]
    return [text for text in texts if split_of(text) != "test" and 40 < len(text) < 3000]


def unhappy_reviews(data: Path, written: Mapping[str, Written], most: int = 4000) -> list[Unhappy]:
    """Those that were written about, and up to `most` others with three stars or fewer, or without stars (which get random ones,
    as do complaints). Four in ten get a made-up business, since real files come with and without.
    """
    import pandas as pd

    rng = random.Random(SEED)
    candidates = [(row.text, float(row.stars[0])) for row in corpora.stars(data) if row.stars and row.stars[0] <= 3]
    flights = pd.read_csv(data / "reviews" / "british_airways.csv").iloc[:, -1].dropna()
    candidates += [(repair(re.sub(r"^.*?\|", "", text)), rng.choice((1.0, 2.0, 3.0))) for text in flights]
    stays = pd.read_csv(data / "reviews" / "booking_boston.csv")["review_text_negative"].dropna()
    candidates += [(repair(str(text)), rng.choice((1.0, 2.0, 3.0))) for text in stays]
    others = {text: stars for text, stars in candidates if 30 < len(text) < 3000 and split_of(text) != "test"}
    texts = dict(rng.sample(sorted(others.items()), min(most, len(others))))
    for ones in written.values():
        texts |= {text: one.stars or rng.choice((1.0, 2.0, 3.0)) for text, one in ones.items()}
    return [(text, stars, _name(rng) if rng.random() < 0.4 else "") for text, stars in texts.items()]


def _name(rng: random.Random) -> str:
    return f"{rng.choice(NAMES[0].split())} {rng.choice(NAMES[1].split())}"


def label(reviews: list[Unhappy], folder: Path) -> list[dict[str, Any]]:
    """Runs the pipeline on these reviews: English rows of `unhappy` with the playbook's feedback as `completion`."""
    file, warehouse = folder / "reviews.csv", folder / "warehouse.duckdb"
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(["text", "stars", "business"])
        writer.writerows(reviews)
    run([str(file)], warehouse, load_profile("embedded"), IngestOptions(), until="feedback")
    reader = open_read_only(warehouse)
    try:
        return reader.query(
            "SELECT u.*, f.text AS completion FROM unhappy(3) u JOIN feedback f USING (review_id) "
            "WHERE f.role = 'teacher' AND f.error IS NULL AND coalesce(language, 'en') = 'en' ORDER BY review_id"
        )
    finally:
        reader.close()
