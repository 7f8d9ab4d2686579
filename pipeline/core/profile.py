"""A profile says which models do the work and with what settings. Frozen dataclasses, read from TOML.

`load("embedded")` finds a shipped profile by name; `load("my.toml")` reads a file, which may begin with
`extends = "embedded"` and then holds only what differs. Unknown keys and wrong types are errors, all of them
reported in one message. The names that `backend` may have are listed in `pipeline.core.registry`.
"""

from __future__ import annotations

import functools
import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError

from pipeline.core import pack
from pipeline.core.addresses import is_near
from pipeline.core.assets import PROFILES, READER, STUDENT
from pipeline.core.errors import InputError
from pipeline.core.registry import CLASSIFIERS, READERS, WRITERS


def _named_in(table: Mapping[str, str]) -> AfterValidator:
    """A validator that refuses a backend the table does not name."""

    def check(name: str) -> str:
        if name not in table:
            known = ", ".join(repr(other) for other in table)
            raise PydanticCustomError("unknown_backend", "input should be one of {known}", {"known": known})
        return name

    return AfterValidator(check)


_STRICT = ConfigDict(extra="forbid")
ReaderName = Annotated[str, _named_in(READERS)]
ClassifierName = Annotated[str, _named_in(CLASSIFIERS)]
WriterName = Annotated[str, _named_in(WRITERS)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(gt=0)]
Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]
# Whether the model reads placeholders instead of e-mail addresses, names and the like; auto: if it is not in our own network.
Masking = Literal["auto", "always", "never"]
Precision = Literal["float32", "bfloat16"]
Device = Literal["cpu", "cuda"]


@dataclass(frozen=True, config=_STRICT)
class Reader:
    """The model that reads every review once, sentence by sentence."""

    backend: ReaderName = "embedded"
    model: str = ""  # a folder made by `train reader`; empty: the shipped one
    # float32: the same answers on every machine. bfloat16: faster where the processor multiplies it, and now and then another
    # third digit.
    precision: Precision = "float32"
    device: Device = "cpu"  # cuda: on a GPU, which rounds otherwise too

    @property
    def folder(self) -> Path:
        """That of the weights, whichever they are."""
        return Path(self.model) if self.model else READER


@dataclass(frozen=True, config=_STRICT)
class Sentiment:
    """Three classes, from the reader (`embedded`) or from a model of their own: `transformers` takes any
    AutoModelForSequenceClassification.
    """

    backend: ClassifierName = "embedded"
    model: str = ""  # hub id or local path; the embedded backend needs none
    revision: str = "main"
    # The model's label -> negative, neutral or positive. Not hashed: a dict cannot be.
    labels: dict[str, str] = field(default_factory=dict, hash=False)
    languages: tuple[str, ...] = ()  # ISO 639-1; empty: every language. Reviews in others get NULL, never a guess
    head: str = ""  # of the embedded backend: a JSON file made by `retrain`; empty: the reader's own probabilities
    calibration: str = ""  # a JSON file made by `calibrate` or `finetune`; empty: the model's own probabilities
    # What is taken off where languages are compared, and nowhere else: a JSON file made by `calibrate --parallel`. auto: what
    # the reader brings for itself, unless a head or a calibration changes what it says; none: nothing.
    language_shift: str = "auto"


@dataclass(frozen=True, config=_STRICT)
class Emotions:
    """The 28 GoEmotions labels, each with a sigmoid and a threshold of its own."""

    backend: ClassifierName = "embedded"
    model: str = ""
    revision: str = "main"
    threshold: Share = 0.5  # for labels not in `thresholds` (the embedded model brings its own)
    thresholds: dict[str, Share] = field(default_factory=dict, hash=False)
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, config=_STRICT)
class Themes:
    """Aspects that reviews mention, and the sentiment of each mention."""

    taxonomy: str = ""  # path of a playbook file; empty: the shipped one


@dataclass(frozen=True, config=_STRICT)
class Feedback:
    """The teacher, which writes for unhappy reviews."""

    backend: WriterName = "playbook"
    model: str = "playbook"
    revision: str = "main"
    quantize: Literal["auto", "nf4", "none"] = "auto"  # auto: nf4 on CUDA, elsewhere unquantized bf16
    prompt: str = "feedback.v1"
    language: str = "auto"  # of the playbook and of feedback.v2, ISO 639-1; auto: that of most reviews, or English
    max_stars: Annotated[float, Field(ge=0, le=5)] = 3.0  # unhappy: negative sentiment, or at most this many stars
    max_reviews: Count = 0  # how many the teacher writes for at most (chosen by hash); 0: all
    max_new_tokens: Positive = 400
    temperature: Annotated[float, Field(ge=0)] = 0.0
    base_url: str = ""  # for openai, such as http://localhost:11434/v1
    api_key_env: str = "OPENAI_API_KEY"  # the environment variable that holds the key, if the server needs one
    timeout: Annotated[float, Field(gt=0)] = 120.0  # seconds per request
    input_price: Price | None = (
        None  # per million tokens of prompts, in any currency; without prices, only tokens are counted
    )
    output_price: Price | None = None  # per million tokens of answers
    mask: Masking = "auto"

    @property
    def masks(self) -> bool:
        """Whether what the model is sent is masked first."""
        return _masks(self)


@dataclass(frozen=True, config=_STRICT)
class Distill:
    """The student and how it is trained."""

    when: Literal["auto", "always", "never"] = "auto"  # auto: unless the teacher is the playbook, which costs nothing
    model: str = "embedded"  # hub id or local path; "embedded": the small Phi shipped with the package
    revision: str = "main"
    prompt: str = "student.v1"
    recipe: str = "embedded"  # pipeline/recipes/NAME.yaml, or a path
    max_review_characters: Count = 900  # longer reviews keep their opening and their end; 0: the whole text
    max_examples: Positive = 1000  # size of the frozen training set: train, validation and test together
    min_examples: Positive = 20  # with fewer unhappy reviews no student is trained
    rounds: Positive = 1  # each further round continues from the current adapter, on rows it has not seen

    @property
    def weights(self) -> str:
        """Hub id or folder of the base student."""
        return str(STUDENT) if self.model == "embedded" else self.model


@dataclass(frozen=True, config=_STRICT)
class Generate:
    """How the student samples. The defaults are those of the original project."""

    temperature: Annotated[float, Field(ge=0)] = 0.5
    top_p: Share = 0.9
    no_repeat_ngram_size: Count = 3
    repetition_penalty: Annotated[float, Field(ge=1)] = 1.0  # 1: none
    max_new_tokens: Positive = 250
    new_reviews: Count = 0  # how many unhappy reviews outside the training set the tuned student writes for; 0: all
    seed: int = 0


@dataclass(frozen=True, config=_STRICT)
class Score:
    """The models behind the text metrics."""

    bleurt: str = "embedded"  # hub id or local path; "embedded": our stand-in on MiniLM
    bleurt_revision: str = "main"
    bertscore: str = "minilm"  # hub id or local path; "minilm": the embedded encoder
    bertscore_revision: str = "main"
    bertscore_layers: Count = 0  # 0: the default for that model
    bertscore_rescale: bool = False  # rescale with bert-score's baselines, which spreads scores over more of the range
    pool: Positive = 100  # grounding: the size of the pool in which a text must find its own review


@dataclass(frozen=True, config=_STRICT)
class Judge:
    """A language model on any OpenAI-compatible server that says which of two texts is better. Off by default."""

    temperature: ClassVar[float] = 0.0  # a verdict is not sampled

    backend: Literal["none", "openai"] = "none"
    model: str = ""
    max_new_tokens: Positive = 300
    base_url: str = ""
    api_key_env: str = "OPENAI_API_KEY"
    timeout: Annotated[float, Field(gt=0)] = 120.0
    input_price: Price | None = None  # as in [feedback]
    output_price: Price | None = None
    mask: Masking = "auto"

    @property
    def masks(self) -> bool:
        """Whether what the model is sent is masked first."""
        return _masks(self)


def _masks(section: Feedback | Judge) -> bool:
    if section.mask == "auto":
        return section.backend == "openai" and not is_near(section.base_url)
    return section.mask == "always" and section.backend not in ("none", "playbook")


@dataclass(frozen=True, config=_STRICT)
class Privacy:
    """What of the customers is kept and shown."""

    mask_exports: bool = False  # reports and their files hide what identifies a person, as with --mask
    keep_days: Count = 0  # the texts of older reviews are removed at the end of each run, as with --keep-days; 0: never


@dataclass(frozen=True, config=_STRICT)
class Profile:
    """All settings of a run. It and its sections are hashable, since loaded models are cached by them."""

    name: str
    description: str = ""
    pack: str = ""  # of a trade (`pipeline.core.pack`): a shipped one's name or a folder; short for other keys
    reader: Reader = Reader()
    sentiment: Sentiment = Sentiment()
    emotions: Emotions = Emotions()
    themes: Themes = Themes()
    feedback: Feedback = Feedback()
    distill: Distill = Distill()
    generate: Generate = Generate()
    score: Score = Score()
    judge: Judge = Judge()
    privacy: Privacy = Privacy()

    @property
    def has_student(self) -> bool:
        """Whether a student is trained and writes."""
        return self.distill.when == "always" or (self.distill.when == "auto" and self.feedback.backend != "playbook")


def names() -> list[str]:
    """Names of the shipped profiles, sorted."""
    return sorted(file.stem for file in PROFILES.glob("*.toml"))


def _merge(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in changes.items():
        both_tables = isinstance(merged.get(key), dict) and isinstance(value, dict)
        merged[key] = _merge(merged[key], value) if both_tables else value
    return merged


def _read(name: str, seen: tuple[Path, ...] = ()) -> dict[str, Any]:
    path = Path(name) if name.endswith(".toml") else PROFILES / f"{name}.toml"
    if not path.is_file():
        raise InputError(
            f"There is no profile {name!r}. Shipped: {', '.join(names())}; or give the path of a .toml file."
        )
    if path.resolve() in seen:
        raise InputError(f"Profile {path} extends itself. Name another profile in its 'extends'.")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"Profile {path} is not valid TOML: {error}. Correct it and run again.") from error
    base = content.pop("extends", None)
    content.setdefault("name", path.stem)
    if isinstance(chosen := content.get("pack"), str) and chosen:
        content = _merge(pack.settings(chosen), content)
    return _merge(_read(str(base), (*seen, path.resolve())), content) if base else content


@functools.cache
def _adapter() -> TypeAdapter[Profile]:
    return TypeAdapter(Profile)


def load(name: str) -> Profile:
    """A shipped profile by name, or a TOML file by path. Raises InputError listing everything wrong with it."""
    try:
        return _adapter().validate_python(_read(name))
    except ValidationError as error:
        problems = []
        for item in error.errors():
            key = ".".join(str(part) for part in item["loc"])
            is_unknown = item["type"] in {"unexpected_keyword_argument", "extra_forbidden"}
            problems.append(f"{key}: unknown key" if is_unknown else f"{key}: {item['msg'].lower()}")
        raise InputError(
            f"Profile {name}: {'; '.join(problems)}. See pipeline/core/profile.py for the keys."
        ) from error


@functools.cache
def model_identity(model: str, revision: str) -> str:
    """What identifies a model's weights in a fingerprint: id and revision, or a hash of the files in a local folder."""
    folder = Path(model)
    if not model or not folder.is_dir():
        return f"{model}@{revision}"
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.suffix in (".safetensors", ".json", ".txt", ".model"):
            digest.update(file.name.encode() + file.read_bytes())
    return f"{folder.name}:{digest.hexdigest()[:16]}"
