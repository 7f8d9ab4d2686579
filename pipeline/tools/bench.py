"""Benchmarks what the pipeline does most against the plain way to do it, on this machine.

`meteor`: ours against plain NLTK, with their values compared. `reading`: all answers of the reader
against one plain pass of its encoder. The methods take turns over several rounds and medians are reported, since a shared machine slows down at times.
WordNet and models are loaded before the clock starts, and NLTK may keep its caches.
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
# (candidate, reference): names that a file's columns may have
PAIRS = (
    ("candidate", "reference"),
    ("phi-2_output", "mistral_output"),
    ("phi-2_output_fine-tuned", "mistral_output"),
)


def run(data: Path | None = None, limit: int = 200, rounds: int = ROUNDS) -> dict[str, Any]:
    """Both benchmarks: {"meteor": ..., "reading": ...}, for `as_text` or JSON.

    `data`: a CSV file with columns as in PAIRS; None: the sample reviews and the playbook's advice on them. `limit`: at most
    this many pairs and texts, evenly spread; 0: all. Raises InputError for an unusable file.
    """
    pairs = _spread(_sample_pairs() if data is None else read_pairs(data), limit)
    return {
        "meteor": meteor(pairs, rounds),
        "reading": reading([reference for _, reference in pairs], rounds),
    }


def read_pairs(data: Path) -> list[tuple[str, str]]:
    """(candidate, reference) of every row, for each of PAIRS that the file has; rows with an empty text are left out.

    Raises InputError if the file cannot be read or has no pairs.
    """
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
    methods: Mapping[str, Callable[[], Any]], rounds: int, clock: Callable[[], float]
) -> tuple[dict[str, float], dict[str, list[float]]]:
    """(median seconds, seconds of each round) per method; the methods take turns."""
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    for _ in range(rounds):
        for name, method in methods.items():
            start = clock()
            method()
            seconds[name].append(clock() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}, seconds


def _speedup(slow: Sequence[float], fast: Sequence[float]) -> float:
    """The median over the rounds of how many times as fast the second method is."""
    return statistics.median(one / other for one, other in zip(slow, fast, strict=True))


def meteor(pairs: Sequence[tuple[str, str]], rounds: int = ROUNDS) -> dict[str, Any]:
    """METEOR of (candidate, reference) pairs by `pipeline.metrics.meteor` and by plain NLTK.

    "new texts": every cache is empty, as for a first batch; "known words": only words are cached, as for later batches;
    "seen texts": the same pairs again. Keys of the result: pairs, rounds, baseline (how NLTK was called), milliseconds (of
    processor time, per pair and method), ratios (NLTK's time over ours: the median of the rounds), largest_difference and
    equal (to TOLERANCE). Raises InputError without a pair or a round.
    """
    from pipeline.metrics import meteor as ours

    if not pairs or rounds < 1:
        raise InputError("The METEOR benchmark needs a pair of texts and a round. Give a larger limit or file.")
    candidates, references = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    with plain_meteor() as (plain, baseline):
        values = ours.score(candidates, references)
        plain_values = [plain(candidates[0], references[0])]  # loads what NLTK loads lazily

        def run_plain() -> None:
            plain_values[:] = map(plain, candidates, references)

        methods = _our_meteor(candidates, references) | {"plain NLTK": run_plain}
        medians, seconds = _medians(methods, rounds, time.process_time)
    plain_seconds = seconds.pop("plain NLTK")
    difference = max(abs(one - other) for one, other in zip(plain_values, values, strict=True))
    return {
        "pairs": len(pairs),
        "rounds": rounds,
        "baseline": baseline,
        "milliseconds": {name: 1000 * value / len(pairs) for name, value in medians.items()},
        "ratios": {name: _speedup(plain_seconds, values) for name, values in seconds.items()},
        "largest_difference": difference,
        "equal": difference <= TOLERANCE,
    }


def _our_meteor(candidates: Sequence[str], references: Sequence[str]) -> dict[str, Callable[[], Any]]:
    """Our METEOR, by what is cached when it starts."""
    from pipeline.metrics import meteor as ours

    def score(forget: Callable[[], None]) -> None:
        forget()
        ours.score(candidates, references)

    return {
        "new texts": functools.partial(score, _forget),
        "known words": functools.partial(score, _forget_texts),
        "seen texts": functools.partial(score, lambda: None),
    }


def _forget() -> None:
    """Empties every cache of texts, tokens, stems and synonyms; the WordNet table stays loaded."""
    from pipeline.metrics import meteor as ours
    from pipeline.metrics import tokens

    _forget_texts()
    tokens._inside.clear()
    for cached in (ours._stem, ours._synonyms, tokens._at_end, tokens._ends_sentence):
        cached.cache_clear()


def _forget_texts() -> None:
    """Empties the caches of whole texts, and keeps those of words."""
    from pipeline.metrics import meteor as ours

    ours._texts.clear()


@contextmanager
def plain_meteor() -> Iterator[tuple[Callable[[str, str], float], str]]:
    """(METEOR of one candidate and reference, called as in NLTK's documentation; a description of what it runs on).

    WordNet is NLTK's own if installed, else Debian's files laid out for NLTK's reader, else our table behind NLTK's function;
    the stemmer is NLTK's, without a cache.
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
    """NLTK's reader on a copy of Debian's `files` below `root`: it reads only inside its data roots and follows no links."""
    import nltk
    from nltk.corpus.reader.wordnet import WordNetCorpusReader

    folder = root / "corpora" / "wordnet"
    folder.mkdir(parents=True)
    for name in WordNetCorpusReader._FILES:
        if name != "lexnames":
            shutil.copyfile(files / name, folder / name)
    # Debian does not package lexnames; the names of the lexicographer files play no part in a lookup.
    (folder / "lexnames").write_text("".join(f"{number:02d}\tfile{number}\t1\n" for number in range(45)))
    nltk.data.path.insert(0, str(root))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no multilingual data
        return WordNetCorpusReader(nltk.data.find("corpora/wordnet"), None)


def reading(texts: Sequence[str], rounds: int = ROUNDS) -> dict[str, Any]:
    """Everything that the reader says about these texts, beside one plain pass of its encoder over the same words, 32 texts
    of similar length at a time.

    Keys of the result: texts (distinct ones), rounds, texts_per_second (per method), ratio (how many times as long all
    answers take: the median of the rounds).
    """
    import torch

    from pipeline.reader import reading as reader_module

    unique = sorted(set(texts), key=len)
    if not unique or rounds < 1:
        raise InputError("The reading benchmark needs a text and a round. Give a larger limit or file.")
    reader = reader_module.load()
    encoder = reader.encoder

    def plain() -> None:
        ids = [encoder.wrap(ids[: encoder.room]) for ids, _ in encoder.tokenize(unique)]
        with torch.inference_mode():
            for start in range(0, len(ids), 32):
                encoder.hidden(ids[start : start + 32])

    reader.read(unique[:1])
    medians, seconds = _medians(
        {"plain pass": plain, "all answers": functools.partial(reader.read, unique)}, rounds, time.perf_counter
    )
    return {
        "texts": len(unique),
        "rounds": rounds,
        "texts_per_second": {name: len(unique) / value for name, value in medians.items()},
        "ratio": _speedup(seconds["all answers"], seconds["plain pass"]),
    }


def as_text(result: Mapping[str, Any]) -> str:
    """The result of `run` for people, a line per method."""
    by_meteor, by_reader = result["meteor"], result["reading"]
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
        f"Reader, {by_reader['texts']} texts, {by_reader['rounds']} rounds",
        *(f"  {name:<18} {value:8.1f} texts/s" for name, value in by_reader["texts_per_second"].items()),
        f"  all answers take {by_reader['ratio']:.2f} times as long as one plain pass of the encoder",
    ]
    return "\n".join(lines)
