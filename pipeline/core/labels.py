"""The label spaces of sentiment and emotion, and how other models' labels map onto them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.core.errors import InputError

SENTIMENTS = ("negative", "neutral", "positive")

# GoEmotions (Demszky et al. 2020), in the order of its label file.
_GOEMOTIONS = """
    admiration amusement anger annoyance approval caring confusion curiosity desire disappointment disapproval disgust
    embarrassment excitement fear gratitude grief joy love nervousness optimism pride realization relief remorse sadness
    surprise neutral
"""
EMOTIONS = tuple(_GOEMOTIONS.split())

# Names that models and label columns give to sentiments, in lower case, in the languages of large review sites.
_SENTIMENT_WORDS = {
    "negative": """
        negative|neg|bearish|very negative|negativ|negativa|negativo|négatif|négative|negatief|negativní|negativt|negatywny
        |negatywna|negatywne|negatív|negatiivinen|negatif|olumsuz|негативный|негативная|негатив|отрицательный|отрицательная
        |отрицательно|негативний|негативна|αρνητικό|αρνητική|ネガティブ|否定的|负面|負面|消极|差评|부정|부정적|سلبي|سلبية|שלילי|नकारात्मक
        |tiêu cực|เชิงลบ|bad|bad with comment|badwithcomment|poor|dissatisfied|very dissatisfied|unsatisfied|unhappy|unzufrieden
        |sehr unzufrieden|insatisfait|insatisfecho|insoddisfatto|insatisfeito|ontevreden|schlecht|detractor|detractors
        |not recommended|not_recommended|doesn't recommend|doesnt_recommend|does not recommend|thumbs down|thumbs_down
        |thumbsdown|👎|😠|😡|🙁|☹|😞|😢|😭|😤|🤬|😕|😟|very bad|very poor|very unhappy|extremely unhappy|extremely dissatisfied
        |somewhat dissatisfied|terrible|awful|horrible|not good|sehr schlecht|eher unzufrieden|mangelhaft|ungenügend|mauvais
        |très mauvais|très insatisfait|pas du tout satisfait|peu satisfait|malo|muy malo|muy insatisfecho|pessimo|scarso
        |molto insoddisfatto|ruim|péssimo|muito insatisfeito|slecht|zeer slecht|zeer ontevreden|nie polecam|bardzo zły
        |плохо|очень плохо|ужасно|差|很差|不满意|非常不满意|不満|やや不満|とても不満|悪い|とても悪い|불만족|매우 불만족|별로
    """,
    "neutral": """
        neutral|neu|mixed|neutre|neutro|neutra|neutraal|neutralt|neutralny|neutralna|neutralne|neutrální|semleges|neutraali
        |neutru|netral|nötr|tarafsız|нейтральный|нейтральная|нейтрально|нейтральний|ουδέτερο|ουδέτερη|ニュートラル|中立|中立的|中性|中评
        |중립|중립적|محايد|محايدة|ניטרלי|तटस्थ|trung lập|trung tính|เป็นกลาง|gemischt|mitigé|mixto|misto|gemengd|passive|passives
        |neither satisfied nor dissatisfied|fair|average|ok|okay|just okay|neither|😐|😑|teils/teils|befriedigend|moyen|regular
        |sufficiente|matig|удовлетворительно|一般|普通|どちらでもない|보통
    """,
    "positive": """
        positive|pos|bullish|very positive|positiv|positiva|positivo|positif|positief|pozitivní|positivt|pozytywny|pozytywna
        |pozytywne|pozitív|pozitiv|positiivinen|olumlu|позитивный|позитивная|позитив|положительный|положительная|положительно
        |позитивний|позитивна|θετικό|θετική|ポジティブ|肯定的|正面|积极|好评|긍정|긍정적|إيجابي|إيجابية|חיובי|सकारात्मक|tích cực|เชิงบวก
        |good|good with comment|goodwithcomment|great|excellent|satisfied|very satisfied|happy|zufrieden|sehr zufrieden|satisfait
        |satisfecho|soddisfatto|satisfeito|tevreden|gut|promoter|promoters|recommended|recommends|thumbs up|thumbs_up|thumbsup|👍
        |😀|😃|😄|😁|🙂|😊|😍|🤩|🥰|😆|very good|very happy|extremely happy|extremely satisfied|somewhat satisfied
        |awesome|amazing|outstanding|sehr gut|eher zufrieden|ausgezeichnet|très bien|bien|très satisfait|plutôt satisfait
        |muy bueno|bueno|excelente|muy satisfecho|ottimo|buono|molto soddisfatto|ótimo|bom|muito bom|muito satisfeito|uitstekend
        |goed|zeer goed|zeer tevreden|polecam|bardzo dobry|отлично|хорошо|очень хорошо|好|很好|满意|非常满意|満足|やや満足|とても満足
        |良い|とても良い|만족|매우 만족|좋음|매우 좋음
    """,
}
SENTIMENT_WORDS = {
    word.strip(): sentiment for sentiment, words in _SENTIMENT_WORDS.items() for word in words.split("|")
}
_STARS = re.compile(r"^([1-5])[ _-]?stars?$")


def from_stars(stars: float) -> str:
    """The sentiment of a rating from 1 to 5: up to 2.5 stars negative, 3 and 3.5 neutral, 4 and more positive."""
    return "negative" if stars < 2.75 else "neutral" if stars < 3.75 else "positive"


def _sentiment_of(label: str, mapping: Mapping[str, str]) -> str | None:
    if label in mapping:
        return mapping[label]
    word = label.strip().lower()
    if match := _STARS.match(word):
        return from_stars(float(match[1]))
    return SENTIMENT_WORDS.get(word)


def sentiment_projection(labels: Sequence[str], mapping: Mapping[str, str], model: str) -> np.ndarray:
    """0/1 matrix, float32, shape (labels, 3), that turns a model's probabilities into those of SENTIMENTS.

    negative/neutral/positive, NEG/NEU/POS, "1 star" to "5 stars" and the like are recognised; any other label (LABEL_0,
    ...) must be in `mapping`, from the profile. Raises InputError if one is not, or if no label is negative or none is
    positive.
    """
    matrix = np.zeros((len(labels), len(SENTIMENTS)), dtype=np.float32)
    unknown = []
    for row, label in enumerate(labels):
        target = _sentiment_of(label, mapping)
        if target not in SENTIMENTS:
            unknown.append(label)
        else:
            matrix[row, SENTIMENTS.index(target)] = 1
    if unknown:
        raise InputError(
            f"Model {model} has labels that say nothing about sentiment: {', '.join(unknown)}. "
            f'Name them in the profile, for instance: [sentiment.labels] {unknown[0]} = "negative".'
        )
    if not matrix[:, 0].any() or not matrix[:, 2].any():
        raise InputError(
            f"Model {model} has no label for {'negative' if not matrix[:, 0].any() else 'positive'} among "
            f"{', '.join(labels)}. Correct [sentiment.labels] in the profile."
        )
    return matrix


def emotion_columns(labels: Sequence[str], model: str) -> list[int]:
    """The column of each of EMOTIONS in a model's output. Raises InputError if one is missing."""
    column_of = {label.strip().lower(): column for column, label in enumerate(labels)}
    if missing := [label for label in EMOTIONS if label not in column_of]:
        raise InputError(
            f"Model {model} does not have the 28 GoEmotions labels: {', '.join(missing[:4])} missing of "
            f"{len(labels)} labels. Choose a GoEmotions model, such as SamLowe/roberta-base-go_emotions."
        )
    return [column_of[label] for label in EMOTIONS]
