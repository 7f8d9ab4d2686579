"""BERTScore (F1 per pair) through the bert-score package.

Source: Zhang et al. 2020, "BERTScore: Evaluating Text Generation with BERT"; https://github.com/Tiiiger/bert_score.
`roberta-large` is the paper's choice for English, `microsoft/deberta-xlarge-mnli` the one that agrees
best with human judgements.
"minilm" is the embedded encoder: a stand-in, to be compared only with itself. Layer 4 of its 6 correlates best with the
original project's BERTScore values: Pearson 0.70, 0.73, 0.83, 0.89, 0.91, 0.85, 0.83 for layers 0 to 6, on 120
of its reviews with two candidates each.

Worked around here, for transformers 5: RoBERTa's tokenizer is loaded with the leading space that bert-score asks for at
every call (that argument is now ignored, and every first word would be tokenized differently); text is cut at the model's
window even where the tokenizer names none; texts without tokens, on which bert-score fails, get the 0 that it documents.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.core.errors import InputError
from pipeline.core.profile import Profile, model_identity
from pipeline.core.warehouse import Warehouse
from pipeline.metrics import check_pairs, hub
from pipeline.metrics.scorer import Candidate, Columns, Scorer, score_pairs
from pipeline.reader import minilm

if TYPE_CHECKING:
    from bert_score import BERTScorer

DEFAULT = "roberta-large"
MINILM_LAYERS = 4
_CHUNK = 256  # pairs; bert-score keeps a vector per token of all it is given: 0.4 GB for these, with roberta-large


def scorer(profile: Profile) -> Scorer:
    """Fills `bertscore_f1` and `bertscore_cut`."""
    config = profile.score
    checkpoint: Any = {"model": config.bertscore, "revision": config.bertscore_revision}
    options: Any = {"num_layers": config.bertscore_layers or None, "rescale_with_baseline": config.bertscore_rescale}

    def columns(rows: Sequence[Candidate], warehouse: Warehouse) -> Columns:
        values = functools.partial(score, **checkpoint, **options)
        return score_pairs(rows, {"bertscore_f1": values, "bertscore_cut": functools.partial(truncated, **checkpoint)})

    settings = settings_hash(config.bertscore, **options)
    name = "stand-in: all-MiniLM-L6-v2" if config.bertscore == "minilm" else config.bertscore
    weights = model_identity(config.bertscore, config.bertscore_revision)
    return Scorer(columns, {"bertscore": [weights, settings]}, name, settings)


def score(
    candidates: Sequence[str],
    references: Sequence[str],
    model: str = DEFAULT,
    *,
    revision: str | None = None,
    num_layers: int | None = None,
    rescale_with_baseline: bool = False,
    lang: str = "en",
    batch_size: int | None = None,
    device: str | None = None,
) -> list[float]:
    """F1 of each pair, in order: at most 1; rescaled by the package's baseline for `lang`, mostly 0 to 1.

    `model` is "minilm", a folder or a hub id; `revision` the hub commit to pin. `num_layers` defaults to the package's
    choice for that model. A pair with an empty side gets 0 (before rescaling). `device` defaults to CUDA if there is one.
    Texts are read sorted by length, each once for up to 256 pairs, `batch_size` at a time: by default 32 on a GPU, 4 on a CPU,
    whose caches hold no more.
    Raises InputError for texts that do not pair up and for unusable models or layers.
    """
    check_pairs(candidates, references)
    if not candidates:
        return []
    scorer = _scorer(model, revision, num_layers, rescale_with_baseline, lang, device)
    batch_size = batch_size or (4 if scorer.device == "cpu" else 32)
    empty_score = 0.0
    if rescale_with_baseline:
        baseline = float(scorer.baseline_vals[2])
        empty_score = -baseline / (1 - baseline)
    values = [empty_score] * len(candidates)
    has_tokens = {text: _token_count(scorer._tokenizer, text) > 0 for text in {*candidates, *references}}
    scorable = [
        index for index in range(len(values)) if has_tokens[candidates[index]] and has_tokens[references[index]]
    ]
    for start in range(0, len(scorable), _CHUNK):
        batch = scorable[start : start + _CHUNK]
        pairs = [candidates[index] for index in batch], [references[index] for index in batch]
        for index, value in zip(batch, scorer.score(*pairs, batch_size=batch_size)[2].tolist(), strict=True):
            values[index] = value
    return values


def truncated(
    candidates: Sequence[str], references: Sequence[str], model: str = DEFAULT, *, revision: str | None = None
) -> list[bool]:
    """Whether each pair has a side that does not fit into the model's window. Loads no weights; raises as `score` does."""
    check_pairs(candidates, references)
    if not candidates:
        return []
    tokenizer = _tokenizer(_folder(model, revision))
    limit = tokenizer.model_max_length - tokenizer.num_special_tokens_to_add()
    is_cut = {text: _token_count(tokenizer, text) > limit for text in {*candidates, *references}}
    return [is_cut[candidate] or is_cut[reference] for candidate, reference in zip(candidates, references, strict=True)]


def settings_hash(model: str = DEFAULT, *, num_layers: int | None = None, rescale_with_baseline: bool = False) -> str:
    """bert-score's own name for the settings under which values compare: model, layer, versions, rescaling.

    Spelled as by `bert_score.utils.get_hash`, whose import would cost seconds in runs that score nothing.
    """
    name, layers = minilm.HUB_ID if model == "minilm" else model, _layers(model, num_layers)
    versions = f"{metadata.version('bert-score')}(hug_trans={metadata.version('transformers')})"
    return f"{name}_L{layers}_no-idf_version={versions}{'-rescaled' if rescale_with_baseline else ''}"


def _layers(model: str, num_layers: int | None) -> int:
    if num_layers is not None:
        return num_layers
    if model == "minilm":
        return MINILM_LAYERS
    from bert_score.utils import model2layers

    layers = model2layers.get(model) or model2layers.get(Path(model).name)
    if layers is None:
        raise InputError(
            f"bert-score has no tuned layer for {model}. Give one: num_layers (bertscore_layers), from 1 up."
        )
    return int(layers)


def _folder(model: str, revision: str | None) -> Path:
    return minilm.locate() if model == "minilm" else hub.locate(model, revision)[0]


def _tokenizer(folder: Path) -> Any:
    from transformers import AutoConfig, AutoTokenizer, GPT2Tokenizer, RobertaTokenizer

    config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    if isinstance(tokenizer, GPT2Tokenizer | RobertaTokenizer):
        tokenizer = AutoTokenizer.from_pretrained(folder, add_prefix_space=True, trust_remote_code=False)
    window = getattr(config, "max_position_embeddings", None) or tokenizer.model_max_length
    if config.model_type in {"camembert", "roberta", "xlm-roberta"}:  # positions up to the padding id are unused
        window -= config.pad_token_id + 1
    tokenizer.model_max_length = min(tokenizer.model_max_length, window)
    return tokenizer


def _token_count(tokenizer: Any, text: str) -> int:
    return len(tokenizer.encode(text.strip(), add_special_tokens=False, verbose=False))


@functools.lru_cache(maxsize=2)
def _scorer(
    model: str, revision: str | None, num_layers: int | None, rescale_with_baseline: bool, lang: str, device: str | None
) -> BERTScorer:
    import bert_score
    from transformers.utils import logging

    logging.disable_progress_bar()
    layers = _layers(model, num_layers)
    folder = _folder(model, revision)
    if "t5" in str(folder) and "t5" not in Path(model).name:
        raise InputError(
            f"bert-score takes every path with 't5' in it for a T5 model: {folder}. Move the model elsewhere."
        )
    baseline = Path(bert_score.__file__).parent / "rescale_baseline" / lang / f"{model}.tsv"
    if rescale_with_baseline and not baseline.is_file():
        raise InputError(f"bert-score has no baseline for {model} in {lang!r}. Set rescale_with_baseline to false.")
    try:
        scorer = bert_score.BERTScorer(
            str(folder),
            num_layers=layers,
            device=device,
            lang=lang,
            rescale_with_baseline=rescale_with_baseline,
            baseline_path=str(baseline) if rescale_with_baseline else None,
        )
    except AssertionError as error:
        raise InputError(f"{error}. Choose another num_layers (bertscore_layers).") from error
    except (OSError, ValueError) as error:
        raise InputError(
            f"{model} cannot be loaded as an encoder ({type(error).__name__}). Name another model."
        ) from error
    scorer._tokenizer = _tokenizer(folder)
    if rescale_with_baseline:
        with warnings.catch_warnings():
            # pandas 3 hands out a read-only array, of which torch warns; bert-score only reads it.
            warnings.filterwarnings("ignore", "The given NumPy array is not writable", UserWarning)
            _ = scorer.baseline_vals
    return scorer
