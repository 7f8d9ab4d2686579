"""METEOR: ours against plain NLTK, with their values compared. WordNet is loaded before the clock starts, and NLTK may keep its
caches.
"""

from __future__ import annotations

import csv
import functools
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.bench.measure import Measured, Sizes, medians, sample, speedup, take_turns
from pipeline.core.errors import InputError

TOLERANCE = 1e-9
_BAR = 20
_WHY = (
    "words and chunks never seen before are tokenized, stemmed and looked up one by one in Python; the more pairs at once, the "
    "fewer are new. A table of the stems and tokens of frequent words, or compiled code, would lift it"
)
DEBIAN_WORDNET = Path("/usr/share/wordnet")  # of the packages wordnet-base and wordnet-sense-index
# (candidate, reference): names that a file's columns may have
PAIRS = (
    ("candidate", "reference"),
    ("phi-2_output", "mistral_output"),
    ("phi-2_output_fine-tuned", "mistral_output"),
)


def run(sizes: Sizes) -> list[Measured]:
    """How many times as fast as NLTK, by what is cached. Raises InputError for an unusable file of pairs."""
    pairs = _spread(list(sample_pairs()) if sizes.data is None else read_pairs(sizes.data), sizes.limit)
    result = meteor(pairs, sizes.rounds)
    if not result["equal"]:
        raise AssertionError(f"METEOR differs from NLTK's by {result['largest_difference']:.1e}")
    return [
        Measured(
            "meteor", f"beside NLTK, {name}", ratio, bar=_BAR if name == "new texts" else None, why=_WHY, details=result
        )
        for name, ratio in result["ratios"].items()
    ]


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


def sample_pairs() -> Iterator[tuple[str, str]]:
    """(the playbook's advice, the review) for each review of the sample."""
    from pipeline.advice.writer import Playbook

    write = Playbook().compose
    for row in sample():
        stars = float(row["rating"]) if row["rating"] else None
        yield write({"text": row["review"], "stars": stars})[0], row["review"]


def _spread(items: list[tuple[str, str]], limit: int) -> list[tuple[str, str]]:
    if not limit or limit >= len(items):
        return items
    return [items[index * len(items) // limit] for index in range(limit)]


def meteor(pairs: Sequence[tuple[str, str]], rounds: int = 3) -> dict[str, Any]:
    """METEOR of (candidate, reference) pairs by `pipeline.metrics.meteor` and by plain NLTK.

    "new texts": every cache is empty, as for a first batch; "known words": words are cached, as for later ones. Keys of
    the result: pairs, rounds, baseline (how NLTK was called), milliseconds (of processor time, per pair and method), ratios
    (NLTK's time over ours: the median of the rounds), largest_difference and equal (to TOLERANCE). Raises InputError without a pair or a round.
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
        seconds = take_turns(methods, rounds, time.process_time)
    milliseconds = {name: 1000 * value / len(pairs) for name, value in medians(seconds).items()}
    plain_seconds = seconds.pop("plain NLTK")
    difference = max(abs(one - other) for one, other in zip(plain_values, values, strict=True))
    return {
        "pairs": len(pairs),
        "rounds": rounds,
        "baseline": baseline,
        "milliseconds": milliseconds,
        "ratios": {name: speedup(plain_seconds, values) for name, values in seconds.items()},
        "largest_difference": difference,
        "equal": difference <= TOLERANCE,
    }


def _our_meteor(candidates: Sequence[str], references: Sequence[str]) -> dict[str, Callable[[], Any]]:
    """Our METEOR, by what is cached when it starts."""
    from pipeline.metrics import meteor as ours

    def of_new_texts() -> None:
        forget()
        ours.score(candidates, references)

    return {"new texts": of_new_texts, "known words": functools.partial(ours.score, candidates, references)}


def forget() -> None:
    """Empties every cache of tokens, stems and synonyms; the WordNet table stays loaded."""
    from pipeline.metrics import meteor as ours
    from pipeline.metrics import tokens

    tokens._known.clear()
    tokens._endings.clear()
    for cached in (ours._stem, ours._synonyms, tokens._ends_sentence):
        cached.cache_clear()


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
