"""The corpora that the reader is trained on: each becomes examples. `DATA` holds them as `docs/reader.md` lists them.

Only data whose licence lets trained weights be published is read here (evaluation reads others). Nothing is balanced or
split yet: see `train` and `split`.
"""

from __future__ import annotations

import csv
import dataclasses
import functools
import hashlib
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.advice.problems import load_problems
from pipeline.core.labels import EMOTIONS
from pipeline.text.repair import repair
from pipeline.training.reader.examples import POLARITY, UNKNOWN, Case, Example, Mention, Target, emotions, spans

LABELS = Path(__file__).parent.parent / "labels"

TWEETS = {
    "arabic": "ar",
    "english": "en",
    "french": "fr",
    "german": "de",
    "italian": "it",
    "portuguese": "pt",
    "spanish": "es",
}  # Hindi is left out: its labels do not belong to its texts

# Subjects that the first guide to labelling did not have: unknown, not absent, in what was labelled by it.
LATER = frozenset(
    [
        "boarding",
        "vehicle_condition",
        "order_cancelled",
        "setup_instructions",
        "view",
        "pests",
        "account_security",
        "media_content",
        "claims",
    ]
)
_OTHER = {
    "other:claim refused": "claims",
    "other:claim settlement": "claims",
    "other:claim payout": "claims",
    "other:payout pending": "claims",
    "other:warranty": "claims",
    "other:boarding": "boarding",
    "other:boarding process": "boarding",
    "other:order cancellation": "order_cancelled",
    "other:insects": "pests",
    "other:room view": "view",
    "other:old aircraft": "vehicle_condition",
}
# An aspect of another corpus that our guide divides: at least one of these.
_DIVIDED = {
    "service": ("service", "staff_attitude", "waiting_time", "expertise", "communication", "customer_support"),
    "value_for_money": ("value_for_money", "hidden_fees", "offers"),
    "cleanliness": ("cleanliness", "bathroom", "smell"),
    "ambience": ("ambience", "noise", "crowding"),
    "facilities": ("facilities", "equipment", "bathroom", "wifi", "entertainment"),
    "room_condition": ("room_condition", "sleep_comfort", "temperature", "bathroom"),
    "food_quality": ("food_quality", "food_temperature", "breakfast"),
    "damaged_item": ("damaged_item", "product_quality"),
}
# Ekman's emotions by GoEmotions labels (Demszky et al. 2020, appendix).
EKMAN = {
    "anger": ("anger", "annoyance", "disapproval"),
    "disgust": ("disgust",),
    "fear": ("fear", "nervousness"),
    "joy": (
        "joy",
        "amusement",
        "approval",
        "excitement",
        "gratitude",
        "love",
        "optimism",
        "relief",
        "pride",
        "admiration",
        "desire",
        "caring",
    ),
    "sadness": ("sadness", "disappointment", "embarrassment", "grief", "remorse"),
    "surprise": ("surprise", "realization", "confusion", "curiosity"),
}
_PRODUCT_EMOTIONS = {"happy": EKMAN["joy"], "love": ("love", "joy", "admiration"), "sadness": EKMAN["sadness"], "anger": EKMAN["anger"]}  # fmt: skip
_TWEET_EMOTIONS = {"happy": EKMAN["joy"], "love": ("love", "caring"), "sadness": EKMAN["sadness"], "anger": EKMAN["anger"], "fear": EKMAN["fear"]}  # fmt: skip
# KOTE's labels that are ours, or a few of ours (Jeon et al. 2022, "User Guide for KOTE").
_KOTE = {
    "불평/불만": ("annoyance", "disapproval", "disappointment"),
    "화남/분노": ("anger",),
    "짜증": ("annoyance", "anger"),
    "안타까움/실망": ("disappointment", "sadness"),
    "슬픔": ("sadness", "grief"),
    "감동/감탄": ("admiration", "love"),
    "고마움": ("gratitude",),
    "행복": ("joy",),
    "기쁨": ("joy", "excitement"),
    "즐거움/신남": ("joy", "amusement", "excitement"),
    "놀람": ("surprise",),
    "역겨움/징그러움": ("disgust",),
    "공포/무서움": ("fear",),
    "불안/걱정": ("nervousness", "fear"),
    "안심/신뢰": ("relief", "optimism", "approval"),
    "뿌듯함": ("pride",),
    "죄책감": ("remorse",),
    "부끄러움": ("embarrassment",),
    "당황/난처": ("confusion", "embarrassment"),
    "깨달음": ("realization",),
    "기대감": ("optimism", "excitement", "desire"),
    "존경": ("admiration",),
    "아껴주는": ("caring", "love"),
}


def gold(data: Path, themes: frozenset[str]) -> Iterator[Example]:
    """`themes_gold/reviews.jsonl`: reviews labelled by reading, by `GUIDE.md` beside it."""
    for row in json_lines(data / "themes_gold" / "reviews.jsonl"):
        yield _labelled(row, row["text"], row["sentences"], f"gold/{row['source']}", themes - LATER)


def labelled(data: Path, themes: frozenset[str], *, published: bool) -> Iterator[Example]:
    """`labels/reviews.jsonl`: ours, of reviews in DATA. `published`: those of files that weights may be trained on, else
    the others.
    """
    wanted = (
        row
        for row in json_lines(LABELS / "reviews.jsonl")
        if row["reader"] == 1 and (row["file"] in PUBLISHED) == published
    )
    for row, record, text in reviews_of(data, wanted):
        rated = {**row, "stars": stars_of(record)}
        known = themes if row.get("guide") == 2 else themes - LATER
        yield _labelled(rated, text, None, f"labels/{row['file']}", known)


def cases(data: Path) -> Iterator[Example]:
    """`labels/cases.jsonl`: ours, of sentences that complain in reviews of DATA, each with the problems of the library that it
    is a case of. Themes are known where a problem tells them, and nowhere else.
    """
    theme_of = {problem.id: problem.theme for problem in load_problems()}
    for row, _, text in reviews_of(data, json_lines(LABELS / "cases.jsonl")):
        known = [case for case in row["cases"] if set(case["problems"]) <= theme_of.keys()]
        told = [(case["s"], theme_of[name]) for case in known for name in case["problems"]]
        yield Example(
            text=text,
            language=row["language"],
            source=f"cases/{row['file']}",
            sentences=spans(text),
            mentions=tuple(
                Mention(s, (theme,), POLARITY["negative"]) for s, theme in dict.fromkeys(told) if theme != "general"
            ),
            cases=tuple(Case(case["s"], tuple(case["problems"])) for case in known),
        )


def reviews_of(
    data: Path, labels: Iterable[Mapping[str, Any]]
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any], str]]:
    """(label, record, text) of the labelled reviews that are in DATA as they were: by file, row and digest."""
    from pipeline.ingest.formats.record import ReadOptions
    from pipeline.ingest.sources import read_records

    wanted: dict[str, dict[int, Mapping[str, Any]]] = {}
    for label in labels:
        wanted.setdefault(label["file"], {})[label["row"]] = label
    for file, rows in sorted(wanted.items()):
        for number, record in enumerate(read_records(str(data / file), ReadOptions()), 1):
            if number in rows and isinstance(record, dict):
                texts = (repair(str(value)) for value in record.values() if value)
                text = next((t for t in texts if _digest(t) == rows[number]["sha256"]), None)
                if text is not None:
                    yield rows[number], record, text


def stars_of(record: Mapping[str, Any]) -> float | None:
    """The rating of a record on a scale of one to five, if it has one."""
    for name in ("stars", "review_rating", "score", "Rating", "rating"):
        try:
            return float(str(record[name]))
        except (KeyError, ValueError):
            continue
    return None


# Files of DATA whose licence allows that weights trained on them are published, among those that we labelled.
PUBLISHED = frozenset(
    f"reviews/{name}"
    for name in (
        "places_leipzig_de.csv",
        "gyms_trustpilot_da.csv",
        "app_moniepoint.csv",
        "womens_clothing.csv",
        "amazon_alexa.tsv",
        "booking_boston.csv",
        "waimai_zh.csv",
        "yelp_10k.csv",
        "british_airways.csv",
        "tripadvisor.csv",
        "amazon_pillow.csv",
    )
)


def own_sentences(themes: frozenset[str]) -> Iterator[Example]:
    """`labels/sentences/`: written for the project."""
    for file in sorted((LABELS / "sentences").glob("*.jsonl")):
        for row in json_lines(file):
            mentions = [{"s": 0, **mention} for mention in row["mentions"]]
            polarities = {mention["polarity"] for mention in mentions}
            only = polarities.pop() if len(polarities) == 1 else None
            yield Example(
                text=row["text"],
                language=row["language"],
                source="own/sentences",
                sentences=((0, len(row["text"])),),
                mentions=_mentions(mentions, themes),
                themes=themes,
                sentiment=POLARITY[only] if only in ("negative", "positive") else UNKNOWN,
                key=row["about"],
            )


def own_reviews(themes: frozenset[str]) -> Iterator[Example]:
    """`labels/written.jsonl`: whole reviews written for the project, with labels as those of `gold`."""
    for row in json_lines(LABELS / "written.jsonl"):
        joined = "" if row["language"] in ("ja", "zh") else " "
        text = joined.join(row["sentences"])
        yield _labelled(row, text, row["sentences"], "own/reviews", themes)


def _labelled(
    row: Mapping[str, Any], text: str, sentences: Sequence[str] | None, source: str, themes: frozenset[str]
) -> Example:
    found = spans(text, sentences)
    mentions = [mention for mention in row["mentions"] if mention["s"] < len(found)]
    stars = row.get("stars")
    return Example(
        text=text,
        language=row["language"],
        source=source,
        sentences=found,
        mentions=_mentions(mentions, themes | LATER),
        themes=themes,
        wishes=frozenset(row.get("wishes", ())),
        sentiment=POLARITY.get({"mixed": "neutral"}.get(row["sentiment"], row["sentiment"]), UNKNOWN),
        stars=(round(stars),) if isinstance(stars, int | float) and 1 <= stars <= 5 else (),
        emotions=emotions(row["emotions"]),
        felt=True,
        cases=_cases(LABELS / "problems.jsonl").get(_digest(text), ()),
        extra={"trade": str(row.get("trade", "")), "sentiment": row["sentiment"]},
    )


@functools.cache
def _cases(file: Path) -> dict[str, tuple[Case, ...]]:
    """`labels/problems.jsonl`: ours, of complaints of labelled reviews; by the review's digest."""
    found: dict[str, list[Case]] = {}
    for row in json_lines(file):
        found.setdefault(row["sha256"], []).append(Case(row["s"], tuple(row["problems"]), row["theme"]))
    return {digest: tuple(cases) for digest, cases in found.items()}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _mentions(rows: Sequence[Mapping[str, Any]], themes: frozenset[str]) -> tuple[Mention, ...]:
    named = [(row["s"], _OTHER.get(row["theme"], row["theme"]), row["polarity"]) for row in rows]
    return tuple(
        Mention(sentence, (theme,), POLARITY.get(polarity, UNKNOWN))
        for sentence, theme, polarity in named
        if theme in themes
    )


# --- Aspects ---


def aspects(data: Path, themes: frozenset[str]) -> Iterator[Example]:
    """Sentences whose aspects other people labelled, in 21 languages; `multi/aspect_map.tsv` maps their categories."""
    mapped: dict[tuple[str, str], dict[str, tuple[str, str]]] = {}
    with (data / "multi" / "aspect_map.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            key = (row["dataset"], row["domain"])
            mapped.setdefault(key, {})[row["category"]] = (row["playbook_aspect"], row["fit"])
    files = [
        *sorted((data / "multi" / "m_absa").glob("*.jsonl")),
        *(data / "multi" / name / f"{name}.jsonl" for name in ("semeval16_hotels_ar", "hoasa_casa_id", "mobasa_de")),
    ]
    ours = _translated(data)
    for path in files:
        dataset = path.parent.name
        for row in json_lines(path):
            categories = mapped.get((dataset, row["domain"]), {})
            example = _of_aspects(row, dataset, categories, themes)
            yield _reread(example, ours[example.key], themes) if example.key in ours else example


def _translated(data: Path) -> dict[str, list[dict[str, Any]]]:
    """`labels/translated.jsonl`: ours, of English sentences with translations; by key."""
    english = {row.get("pid"): row["text"] for row in json_lines(data / "multi" / "m_absa" / "en.jsonl")}
    return {
        row["pid"]: row["mentions"]
        for row in json_lines(LABELS / "translated.jsonl")
        if hashlib.sha256(english.get(row["pid"], "").encode()).hexdigest()[:16] == row["sha256"]
    }


def _reread(example: Example, mentions: Sequence[Mapping[str, Any]], themes: frozenset[str]) -> Example:
    """The example with our labels, which hold for all translations of a sentence and leave nothing open."""
    found = _mentions([{"s": 0, **mention} for mention in mentions], themes)
    return dataclasses.replace(example, mentions=found, themes=themes, is_reread=True)


def _of_aspects(
    row: Mapping[str, Any], dataset: str, categories: Mapping[str, tuple[str, str]], themes: frozenset[str]
) -> Example:
    text = row["text"]
    good = {aspect for aspect, fit in categories.values() if fit == "good" and aspect != "general"} & themes
    loose: set[str] = set()
    mentions, targets, polarities = [], [], set()
    for target, category, polarity in row["aspects"]:
        value = POLARITY.get(polarity, UNKNOWN)
        polarities.add(value)
        aspect, fit = categories.get(category, ("", "none"))
        if fit == "good" and aspect in good:
            mentions.append(Mention(0, _DIVIDED.get(aspect, (aspect,)), value))
        elif aspect:
            loose.update(_DIVIDED.get(aspect, (aspect,)))
        at = text.find(target) if target and target != "NULL" else -1
        if at >= 0 and value != UNKNOWN and row["lang"] != "th":  # blanks beside Thai targets give them away
            targets.append(Target(at, at + len(target), value))
    given = {theme for mention in mentions if len(mention.themes) > 1 for theme in mention.themes}
    # All of a divided aspect, as none of it is there where the aspect is not: a theme that is only ever in a group that
    # applies, and never absent, ends up in every sentence of such a corpus.
    known = {theme for aspect in good for theme in _DIVIDED.get(aspect, (aspect,))} & themes
    only = polarities.pop() if len(polarities) == 1 else UNKNOWN
    return Example(
        text=text,
        language=row["lang"],
        source=f"{dataset}/{row['domain']}",
        sentences=((0, len(text)),),
        mentions=tuple(mentions),
        # "General" aspects hide which subject was meant.
        themes=frozenset(known - loose - given) if row["aspects"] else frozenset(),
        targets=tuple(targets),
        sentiment=only if only != POLARITY["neutral"] else UNKNOWN,
        key=row.get("pid", ""),
    )


def patients(data: Path, themes: frozenset[str]) -> Iterator[Example]:
    """`multi/nhs_patient_feedback_en`: what patients of two trusts answered, with 50 themes."""
    mapped = _map_of(data, "nhs_patient_feedback_en")
    good = frozenset(aspect for aspect, fit in mapped.values() if fit == "good" and aspect != "general") & themes
    values = {"very positive": 2, "positive": 2, "negative": 0, "very negative": 0}
    for row in csv_rows(data / "multi" / "nhs_patient_feedback_en" / "nhs_patient_feedback_en.csv"):
        value = values.get(row["sentiment"].strip().lower(), UNKNOWN)
        named = [mapped.get(name.strip(), ("", "none")) for name in row["themes"].split("|")]
        loose = {aspect for aspect, fit in named if fit == "loose"}
        text = repair(row["text"])
        if text:
            yield Example(
                text=text,
                language="en",
                source="nhs",
                sentences=((0, len(text)),),
                mentions=tuple(
                    Mention(0, (aspect,), value) for aspect, fit in named if fit == "good" and aspect in good
                ),
                themes=good - loose,
                sentiment=value,
            )


def _map_of(data: Path, dataset: str) -> dict[str, tuple[str, str]]:
    with (data / "multi" / "aspect_map.tsv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["dataset"] == dataset]
    return {row["category"]: (row["playbook_aspect"], row["fit"]) for row in rows}


def targets(data: Path, part: str = "train") -> Iterator[Example]:
    """MAMS: sentences with two targets of different polarity (Jiang et al. 2019). `part`: train or val."""
    root = ET.parse(data / "absa" / "mams_atsa" / f"{part}.xml").getroot()
    for sentence in root.iter("sentence"):
        text = sentence.findtext("text") or ""
        found = tuple(
            Target(int(term.get("from", 0)), int(term.get("to", 0)), POLARITY[term.get("polarity", "")])
            for term in sentence.iter("aspectTerm")
            if term.get("polarity") in POLARITY
        )
        yield Example(text, "en", "mams", sentences=((0, len(text)),), targets=found)


# --- Sentiment and stars ---


def tweets(data: Path, part: str = "train") -> Iterator[Example]:
    """UMSAB (Barbieri et al. 2022), without Hindi. `part`: train or val."""
    for folder, language in TWEETS.items():
        texts = (data / "umsab" / folder / f"{part}_text.txt").read_text(encoding="utf-8").split("\n")
        labels = (data / "umsab" / folder / f"{part}_labels.txt").read_text(encoding="utf-8").split("\n")
        for text, label in zip(texts, labels, strict=False):
            if text and label:
                yield Example(text, language, f"umsab/{language}", sentiment=int(label))


def classes(data: Path) -> Iterator[Example]:
    """Texts with a class that a person gave: tweets, posts and sentences in 14 languages."""
    yield from tweets(data)
    multi = data / "multi"
    for name in ("norec_sentence_no", "wisesight_th", "husst_hu", "counterfactual_pairs_en"):
        for row in csv_rows(multi / name / f"{name}.csv"):
            yield Example(
                _plain(row["text"]), row["lang"], name, sentiment=POLARITY[row["sentiment"]], key=row.get("pid", "")
            )
    for file in sorted((multi / "nusax").glob("*.csv")):
        for row in csv_rows(file):
            yield Example(row["text"], row["lang"], "nusax", sentiment=POLARITY[row["sentiment"]], key=row["pid"])
    for line in (data / "multilingual" / "indonlu_smsa_id.tsv").read_text(encoding="utf-8").splitlines():
        text, _, label = line.rpartition("\t")
        if label in POLARITY:
            yield Example(text, "id", "indonlu", sentiment=POLARITY[label])
    for name in ("amazon_cells", "imdb", "yelp"):
        for line in (data / "reviews" / f"{name}_labelled.txt").read_text(encoding="utf-8").splitlines():
            text, _, label = line.rpartition("\t")
            if label in ("0", "1"):
                yield Example(text.strip(), "en", f"uci/{name}", sentiment=2 * int(label))


def stars(data: Path) -> Iterator[Example]:
    """Reviews with the stars that their writers gave."""
    folder = data / "reviews"
    for name, text, rating, language in (
        ("yelp_10k.csv", "text", "stars", "en"),
        ("womens_clothing.csv", "Review Text", "Rating", "en"),
        ("tripadvisor.csv", "Review", "Rating", "en"),
        ("amazon_pillow.csv", "review_text", "review_rating", "en"),
        ("app_moniepoint.csv", "content", "score", "en"),
        ("places_leipzig_de.csv", "review_text", "review_rating", "de"),
        ("gyms_trustpilot_da.csv", "review", "rating", "da"),
    ):
        for row in csv_rows(folder / name):
            yield from _starred(row.get(text), row.get(rating), language, name)
    for row in csv_rows(folder / "amazon_alexa.tsv", "\t"):
        yield from _starred(row.get("verified_reviews"), row.get("rating"), "en", "amazon_alexa.tsv")
    for row in csv_rows(folder / "waimai_zh.csv"):
        yield Example(repair(row["review"]), "zh", "waimai_zh.csv", sentiment=2 * int(row["label"]))
    for row in csv_rows(folder / "booking_boston.csv"):
        for box, value in (("review_text_positive", 2), ("review_text_negative", 0)):
            text = repair(row[box] or "")
            if len(text) > 15 and not _NOTHING.match(text):
                yield Example(text, "en", f"booking/{box[12:]}", sentiment=value)
    for row in csv_rows(data / "multi" / "nsmc_ko" / "nsmc_ko.csv"):
        yield from _starred(row["text"], str((int(row["rating10"]) + 1) // 2), "ko", "nsmc_ko")
    for row in csv_rows(data / "multi" / "prdect_id" / "prdect_id.csv"):
        group = _PRODUCT_EMOTIONS.get(row["emotion"])
        for example in _starred(row["text"], row["stars"], "id", "prdect_id"):
            yield Example(
                example.text,
                "id",
                "prdect_id",
                sentiment=POLARITY[row["sentiment"]],
                stars=example.stars,
                emotions=((group, True),) if group else (),
                felt=True,
            )


_NOTHING = re.compile(r"(nothing|none|n/?a|no complaints?|everything|not? a thing|-+|all)\b.{0,25}$", re.I | re.S)


def _starred(text: str | None, rating: str | None, language: str, source: str) -> Iterator[Example]:
    try:
        value = round(float(rating or ""))
    except ValueError:
        return
    body = repair(text or "")
    if body and 1 <= value <= 5:
        # Words are not stars, but at the ends they agree.
        sentiment = 0 if value <= 2 else 2 if value == 5 else UNKNOWN
        yield Example(body, language, source, stars=(value,), sentiment=sentiment)


# --- Emotions ---


def comments(data: Path, part: str = "train") -> Iterator[Example]:
    """GoEmotions (Demszky et al. 2020). `part`: train or dev."""
    with (data / "goemotions" / f"{part}.tsv").open(encoding="utf-8", newline="") as file:
        for text, ids, _ in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            yield Example(text, "en", "goemotions", emotions=emotions([EMOTIONS[int(i)] for i in ids.split(",")]))


def comments_elsewhere(data: Path) -> Iterator[Example]:
    """Emotions beyond English: GoEmotions in Korean and Russian, KOTE, XED, BRIGHTER, Indonesian tweets."""
    multi = data / "multi"
    for name in ("goemotions_ko", "goemotions_ru"):
        for row in csv_rows(multi / name / f"{name}.csv"):
            yield Example(row["text"], row["lang"], name, emotions=emotions(row["emotions"].split("|")))
    for row in csv_rows(multi / "kote_ko" / "kote_ko.csv"):
        present = set(row["emotions"].split("|"))
        groups = tuple((labels, name in present) for name, labels in _KOTE.items())
        clashing = {label for labels, is_present in groups if is_present for label in labels}
        kept = tuple((g, p) for g, p in groups if p or not clashing & set(g))
        yield Example(row["text"], "ko", "kote_ko", emotions=kept)
    for file in sorted((multi / "xed").glob("*.csv")):
        for row in csv_rows(file):
            present = set(re.split(r"[|,]", row["emotions"]))
            if present - {"anticipation", "trust", "neutral", ""}:
                groups = tuple(
                    (labels, name in present)
                    for name, labels in EKMAN.items()
                    if name != "joy" or "trust" not in present
                )
                yield Example(row["text"], row["lang"].split("-")[0], "xed", emotions=groups)
    for file in sorted((multi / "brighter").glob("*.csv")):
        for row in csv_rows(file):
            present = set(re.split(r"[|,]", row["emotions"] or ""))
            without = set(re.split(r"[|,]", row.get("not_annotated") or ""))
            groups = tuple((labels, name in present) for name, labels in EKMAN.items() if name not in without)
            yield Example(row["text"], row["lang"].split("-")[0], "brighter", emotions=groups)
    for row in csv_rows(multi / "emot_id" / "emot_id.csv"):
        if row["emotions"] in _TWEET_EMOTIONS:
            groups = tuple((labels, name == row["emotions"]) for name, labels in _TWEET_EMOTIONS.items())
            yield Example(row["text"], "id", "emot_id", emotions=groups)


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON Lines file."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def csv_rows(path: Path, delimiter: str = ",") -> Iterator[dict[str, str]]:
    """The rows of a file with a header."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file, delimiter=delimiter)


def _plain(text: str) -> str:
    return re.sub(r"\s*<br ?/?>\s*", "\n", text)
