"""How fast this machine is at what the pipeline does most, always against the plain way, in one run.

`meteor`: ours against plain NLTK, with the values compared. `classification`: batches of similar length against one
text at a time. The ways take turns over several rounds and medians are reported, as a shared machine slows down at
times. What is loaded once (WordNet, models) is loaded before the clock starts, and NLTK may keep what it remembers.
"""

from __future__ import annotations

import csv
import functools
import shutil
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.core.assets import SAMPLE
from pipeline.core.errors import InputError

ROUNDS = 3
TOLERANCE = 1e-9
DEBIAN_WORDNET = Path("/usr/share/wordnet")  # of the packages wordnet-base and wordnet-sense-index
# (candidate, reference) as a file's columns may be called
PAIRS = (
    ("candidate", "reference"),
    ("phi-2_output", "mistral_output"),
    ("phi-2_output_fine-tuned", "mistral_output"),
)


def run(data: Path | None = None, limit: int = 200, rounds: int = ROUNDS) -> dict[str, Any]:
    """Both benchmarks: {"meteor": ..., "classification": ...}, for `as_text` or JSON.

    `data`: a CSV file with pairs of columns as in PAIRS; None: the sample reviews and what the playbook writes about
    them. `limit`: at most so many pairs and texts, evenly spread; 0: all. Raises InputError for an unusable file.
    """
    pairs = _spread(_sample_pairs() if data is None else read_pairs(data), limit)
    return {
        "meteor": meteor(pairs, rounds),
        "classification": classification([reference for _, reference in pairs], rounds),
    }


def read_pairs(data: Path) -> list[tuple[str, str]]:
    """(candidate, reference) of every row, for each pair of columns in PAIRS that the file has; empty texts left out."""
    try:
        with data.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{data} cannot be read ({type(error).__name__}). Give a CSV file in UTF-8.") from error
    pairs = [
        (row[candidate], row[reference])
        for candidate, reference in PAIRS
        for row in rows
        if row.get(candidate) and row.get(reference)
    ]
    if not pairs:
        raise InputError(f"{data} has no pairs of texts. Give a CSV file with the columns candidate and reference.")
    return pairs


def _sample_pairs() -> list[tuple[str, str]]:
    from pipeline.advice.writer import Playbook

    with SAMPLE.open(encoding="utf-8", newline="") as file:
        reviews = list(csv.DictReader(file))
    write = Playbook().compose
    return [
        (write({"text": row["review"], "stars": float(row["rating"]) if row["rating"] else None})[0], row["review"])
        for row in reviews
        if row["review"]
    ]


def _spread(items: list[tuple[str, str]], limit: int) -> list[tuple[str, str]]:
    if not limit or limit >= len(items):
        return items
    return [items[index * len(items) // limit] for index in range(limit)]


def _medians(
    ways: Mapping[str, Callable[[], Any]], rounds: int, clock: Callable[[], float]
) -> tuple[dict[str, float], dict[str, list[float]]]:
    """(median seconds, seconds of each round) per way; the ways take turns."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            start = clock()
            way()
            seconds[name].append(clock() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}, seconds


def meteor(pairs: Sequence[tuple[str, str]], rounds: int = ROUNDS) -> dict[str, Any]:
    """METEOR of (candidate, reference) pairs by `pipeline.metrics.meteor` and by plain NLTK.

    "new texts": nothing is remembered, not even a word, as in a first batch; "known words": texts are new but their
    words were met before, as in later batches; "seen texts": the same pairs again. Keys of the result: pairs, rounds,
    baseline (how NLTK was called), milliseconds (of processor time, per pair and way), ratios (NLTK's time over ours:
    the median of the rounds), largest_difference and equal (to 1e-9).
    """
    from pipeline.metrics import meteor as ours

    if not pairs or rounds < 1:
        raise InputError("The METEOR benchmark needs a pair of texts and a round. Give a larger limit or file.")
    candidates, references = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    with plain_meteor() as (plain, baseline):
        values = ours.score(candidates, references)
        difference = abs(plain(candidates[0], references[0]) - values[0])  # and loads what NLTK loads lazily
        found: list[float] = []

        def with_nltk() -> None:
            found[:] = map(plain, candidates, references)

        def with_ours(forget: Callable[[], None]) -> None:
            forget()
            ours.score(candidates, references)

        ways: dict[str, Callable[[], Any]] = {
            "new texts": functools.partial(with_ours, _forget),
            "known words": functools.partial(with_ours, _forget_texts),
            "seen texts": functools.partial(with_ours, lambda: None),
            "plain NLTK": with_nltk,
        }
        medians, seconds = _medians(ways, rounds, time.process_time)
    difference = max(difference, *(abs(one - other) for one, other in zip(found, values, strict=True)))
    return {
        "pairs": len(pairs),
        "rounds": rounds,
        "baseline": baseline,
        "milliseconds": {name: 1000 * value / len(pairs) for name, value in medians.items()},
        "ratios": {
            name: statistics.median(
                slow / fast for slow, fast in zip(seconds["plain NLTK"], seconds[name], strict=True)
            )
            for name in seconds
            if name != "plain NLTK"
        },
        "largest_difference": difference,
        "equal": difference <= TOLERANCE,
    }


def _forget() -> None:
    """Clears every memory of texts, tokens, stems and synonyms; the WordNet table stays loaded."""
    from pipeline.metrics import meteor as ours
    from pipeline.metrics import tokens

    _forget_texts()
    tokens._inside.clear()
    for remembered in (ours._stemmer, ours._synonyms, tokens._at_end, tokens._ends_sentence):
        remembered.cache_clear()


def _forget_texts() -> None:
    """Clears what is remembered of whole texts, and keeps what is known of words."""
    from pipeline.metrics import meteor as ours

    ours._tokens.clear()
    ours._synonyms_in.cache_clear()


@contextmanager
def plain_meteor() -> Iterator[tuple[Callable[[str, str], float], str]]:
    """(METEOR of one candidate and reference as NLTK's documentation calls it, a description of what it runs on).

    WordNet is NLTK's own where it is installed, else Debian's files laid out for NLTK's reader, else our table behind
    NLTK's function; the stemmer is NLTK's, without a memory.
    """
    import nltk
    from nltk.tokenize import punkt_model_available, word_tokenize
    from nltk.translate.meteor_score import meteor_score

    from pipeline.metrics import tokens, wordnet

    split = word_tokenize if punkt_model_available() else tokens.tokenize_plainly
    words = "nltk.word_tokenize" if punkt_model_available() else "NLTK's tokenizers without its Punkt model"
    with tempfile.TemporaryDirectory() as root:
        if _nltk_has_wordnet():
            reader, source = None, "NLTK's WordNet"
        elif _is_wordnet(DEBIAN_WORDNET):
            reader, source = debian_reader(Path(root), DEBIAN_WORDNET), "NLTK's reader on Debian's WordNet"
        else:
            reader, source = wordnet.load(), "the shipped WordNet table"
        options = {} if reader is None else {"wordnet": reader}

        def plain(candidate: str, reference: str) -> float:
            return float(meteor_score([split(reference)], split(candidate), **options))

        try:
            yield plain, f"nltk {nltk.__version__} meteor_score, {words}, {source}"
        finally:
            if root in nltk.data.path:
                nltk.data.path.remove(root)


def _nltk_has_wordnet() -> bool:
    import nltk

    for name in ("corpora/wordnet", "corpora/wordnet.zip"):
        try:
            nltk.data.find(name)
        except LookupError:
            continue
        return True
    return False


def _is_wordnet(folder: Path) -> bool:
    return (folder / "index.sense").is_file() and (folder / "data.noun").is_file()


def debian_reader(root: Path, files: Path) -> Any:
    """NLTK's reader over a copy of Debian's `files` below `root`: it reads only inside its data roots, and follows no link."""
    import nltk
    from nltk.corpus.reader.wordnet import WordNetCorpusReader

    folder = root / "corpora" / "wordnet"
    folder.mkdir(parents=True)
    for name in WordNetCorpusReader._FILES:
        if name != "lexnames":
            shutil.copyfile(files / name, folder / name)
    # Debian does not package it; the names of the lexicographer files play no part in a lookup.
    (folder / "lexnames").write_text("".join(f"{number:02d}\tfile{number}\t1\n" for number in range(45)))
    nltk.data.path.insert(0, str(root))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no multilingual data
        return WordNetCorpusReader(nltk.data.find("corpora/wordnet"), None)


def classification(texts: Sequence[str], rounds: int = ROUNDS) -> dict[str, Any]:
    """The embedded classifier, one text at a time and in batches of similar length.

    Keys of the result: texts (without repeats), rounds, texts_per_second (per way), ratio (of the two: the median of
    the rounds), largest_difference (of a probability; padding alone moves it a little).
    """
    from pipeline.reader import heads

    unique = list(dict.fromkeys(texts))
    if not unique or rounds < 1:
        raise InputError("The classification benchmark needs a text and a round. Give a larger limit or file.")
    classifier = heads.EmotionsHead()
    classifier.probabilities(unique[:1])

    def one_by_one() -> Any:
        return [classifier.probabilities([text])[0] for text in unique]

    def in_batches() -> Any:
        return classifier.probabilities(unique)

    results: dict[str, Any] = {}

    def keep(name: str, way: Callable[[], Any]) -> None:
        results[name] = way()

    ways = {"one by one": one_by_one, "sorted batches": in_batches}
    medians, seconds = _medians(
        {name: functools.partial(keep, name, way) for name, way in ways.items()}, rounds, time.perf_counter
    )
    pairs = zip(results["one by one"], results["sorted batches"], strict=True)
    return {
        "texts": len(unique),
        "rounds": rounds,
        "texts_per_second": {name: len(unique) / value for name, value in medians.items()},
        "ratio": statistics.median(
            slow / fast for slow, fast in zip(seconds["one by one"], seconds["sorted batches"], strict=True)
        ),
        "largest_difference": max(float(abs(one - other).max()) for one, other in pairs),
    }


def as_text(result: Mapping[str, Any]) -> str:
    """For people: what `run` returns, a line per way."""
    by_meteor, by_classifier = result["meteor"], result["classification"]
    lines = [f"METEOR, {by_meteor['pairs']} pairs, {by_meteor['rounds']} rounds"]
    for name, value in by_meteor["milliseconds"].items():
        ratio = by_meteor["ratios"].get(name)
        label = name if ratio is None else f"ours, {name}"
        times = "" if ratio is None else f"   {ratio:.1f} times as fast as plain NLTK"
        lines.append(f"  {label:<18} {value:8.2f} ms a pair{times}")
    equal = "equal" if by_meteor["equal"] else "NOT equal"
    lines += [
        f"  values: {equal} (largest difference {by_meteor['largest_difference']:.1e}, {TOLERANCE:.0e} allowed)",
        f"  plain NLTK: {by_meteor['baseline']}",
        f"Embedded classifier, {by_classifier['texts']} texts, {by_classifier['rounds']} rounds",
        *(f"  {name:<18} {value:8.1f} texts/s" for name, value in by_classifier["texts_per_second"].items()),
        f"  sorted batches are {by_classifier['ratio']:.1f} times as fast "
        f"(largest difference of a probability {by_classifier['largest_difference']:.1e})",
    ]
    return "\n".join(lines)
