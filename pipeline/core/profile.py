"""A profile says which models do the work and with what settings. Frozen dataclasses, read from TOML.

`load("embedded")` finds a shipped profile by name; `load("my.toml")` reads a file, which may begin with
`extends = "embedded"` and then holds only what differs. An unknown key or a wrong type is an error, and all
errors come in one message. The names that `backend` may have stand in `pipeline.core.registry`.
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

from pipeline.core.assets import PROFILES, STUDENT
from pipeline.core.errors import InputError
from pipeline.core.registry import CLASSIFIERS, WRITERS


def _named_in(table: Mapping[str, str]) -> AfterValidator:
    """Refuses a backend that the table does not name."""

    def check(name: str) -> str:
        if name not in table:
            known = ", ".join(repr(other) for other in table)
            raise PydanticCustomError("unknown_backend", "input should be one of {known}", {"known": known})
        return name

    return AfterValidator(check)


_STRICT = ConfigDict(extra="forbid")
ClassifierName = Annotated[str, _named_in(CLASSIFIERS)]
WriterName = Annotated[str, _named_in(WRITERS)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(gt=0)]


@dataclass(frozen=True, config=_STRICT)
class Sentiment:
    """Three classes. `transformers` takes any AutoModelForSequenceClassification."""

    backend: ClassifierName = "embedded"
    model: str = ""  # hub id or local path; the embedded backend needs none
    revision: str = "main"
    # The model's label -> negative, neutral or positive. No part of the hash, for a dict has none.
    labels: dict[str, str] = field(default_factory=dict, hash=False)
    languages: tuple[str, ...] = ()  # ISO 639-1; empty: every language. Others get NULL, never a guess
    calibration: str = ""  # a JSON file made by `calibrate` or `finetune`; empty: probabilities as the model gives them


@dataclass(frozen=True, config=_STRICT)
class Emotions:
    """The 28 GoEmotions labels: a sigmoid and a threshold for each."""

    backend: ClassifierName = "embedded"
    model: str = ""
    revision: str = "main"
    threshold: Share = 0.5  # for labels that `thresholds` does not name (the embedded model brings its own)
    thresholds: dict[str, Share] = field(default_factory=dict, hash=False)
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, config=_STRICT)
class Themes:
    """Aspects and the sentiment of their mentions."""

    taxonomy: str = ""  # a playbook file of your own; empty: the shipped one
    # Of each mention, in English: what is said of the aspect, or of the clause around it; auto: aspects where the
    # sentiment is embedded. Other languages: the clause.
    sentiment: Literal["auto", "aspects", "clause"] = "auto"


@dataclass(frozen=True, config=_STRICT)
class Feedback:
    """The teacher, which writes for unhappy reviews."""

    backend: WriterName = "playbook"
    model: str = "playbook"
    revision: str = "main"
    quantize: Literal["auto", "nf4", "none"] = "auto"  # auto: nf4 on CUDA, else bf16 weights as they are
    prompt: str = "feedback.v1"
    max_stars: Annotated[float, Field(ge=0, le=5)] = 3.0  # unhappy: negative, or this many stars or fewer
    max_reviews: Count = 0  # the teacher writes for at most so many (chosen by hash); 0: for all
    max_new_tokens: Positive = 400
    temperature: Annotated[float, Field(ge=0)] = 0.0
    base_url: str = ""  # openai: for instance http://localhost:11434/v1
    api_key_env: str = "OPENAI_API_KEY"  # the environment variable that holds the key, if the server wants one
    timeout: Annotated[float, Field(gt=0)] = 120.0  # seconds per request


@dataclass(frozen=True, config=_STRICT)
class Distill:
    """The student and how it is trained."""

    model: str = "embedded"  # hub id or local path; "embedded": the small Phi that is shipped
    revision: str = "main"
    prompt: str = "student.v1"
    recipe: str = "embedded"  # pipeline/recipes/NAME.yaml, or a path
    max_review_characters: Count = 900  # longer reviews keep their opening and their end; 0: the whole text
    max_examples: Positive = 1000  # frozen training set: train, validation and test together
    min_examples: Positive = 20  # with fewer unhappy reviews there is nothing to learn from, and no student
    rounds: Positive = 1  # a further round continues from the current adapter, with rows it has not seen

    @property
    def weights(self) -> str:
        """Hub id or folder of the base student."""
        return str(STUDENT) if self.model == "embedded" else self.model


@dataclass(frozen=True, config=_STRICT)
class Generate:
    """How the student writes. Defaults of the original project."""

    temperature: Annotated[float, Field(ge=0)] = 0.5
    top_p: Share = 0.9
    no_repeat_ngram_size: Count = 3
    repetition_penalty: Annotated[float, Field(ge=1)] = 1.0  # 1: none
    max_new_tokens: Positive = 250
    new_reviews: Count = 200  # unhappy reviews outside the training set that the tuned student writes for
    seed: int = 0


@dataclass(frozen=True, config=_STRICT)
class Score:
    """The models behind the text metrics."""

    bleurt: str = "embedded"  # hub id or local path; "embedded": our stand-in on MiniLM
    bleurt_revision: str = "main"
    bertscore: str = "minilm"  # hub id or local path; "minilm": the embedded encoder
    bertscore_revision: str = "main"
    bertscore_layers: Count = 0  # 0: the library's (or our) choice for that model
    bertscore_rescale: bool = False  # spread over more of the range, by bert-score's own baselines
    pool: Positive = 100  # grounding: the own review among so many


@dataclass(frozen=True, config=_STRICT)
class Judge:
    """A language model that says which of two texts it prefers, on any OpenAI-compatible server. Off by default."""

    temperature: ClassVar[float] = 0.0  # a verdict is not sampled

    backend: Literal["none", "openai"] = "none"
    model: str = ""
    max_new_tokens: Positive = 300
    base_url: str = ""
    api_key_env: str = "OPENAI_API_KEY"
    timeout: Annotated[float, Field(gt=0)] = 120.0


@dataclass(frozen=True, config=_STRICT)
class Profile:
    """All settings of a run. Hashable, and so are its sections: they are the keys of the caches of loaded models."""

    name: str
    description: str = ""
    sentiment: Sentiment = Sentiment()
    emotions: Emotions = Emotions()
    themes: Themes = Themes()
    feedback: Feedback = Feedback()
    distill: Distill = Distill()
    generate: Generate = Generate()
    score: Score = Score()
    judge: Judge = Judge()


def names() -> list[str]:
    """The shipped profiles."""
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
    return _merge(_read(str(base), (*seen, path.resolve())), content) if base else content


@functools.cache
def _adapter() -> TypeAdapter[Profile]:
    return TypeAdapter(Profile)


def load(name: str) -> Profile:
    """A shipped profile by name, or a TOML file by path. Raises InputError that lists everything wrong with it."""
    try:
        return _adapter().validate_python(_read(name))
    except ValidationError as error:
        problems = []
        for item in error.errors():
            key = ".".join(str(part) for part in item["loc"])
            known = item["type"] in {"unexpected_keyword_argument", "extra_forbidden"}
            problems.append(f"{key}: unknown key" if known else f"{key}: {item['msg'].lower()}")
        raise InputError(
            f"Profile {name}: {'; '.join(problems)}. See pipeline/core/profile.py for the keys."
        ) from error


@functools.cache
def model_identity(model: str, revision: str) -> str:
    """What pins a model's weights for a fingerprint: id and revision, or for a folder the content of its files."""
    folder = Path(model)
    if not model or not folder.is_dir():
        return f"{model}@{revision}"
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.suffix in (".safetensors", ".json", ".txt", ".model"):
            digest.update(file.name.encode() + file.read_bytes())
    return f"{folder.name}:{digest.hexdigest()[:16]}"
