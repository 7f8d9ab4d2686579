"""Why a model's text may be the work of an instruction in the review that it was given, and not advice about it.

A review cannot leave its place in the prompt (`core.defuse`), but it can still ask, and a model may do as it is asked. Whatever a
text has that advice has no use for is a fault: marks of a chat, the prompt's own words, addresses and markup, code, talk of itself.
Where the review speaks to a model, the text may not hold anything either that the review puts in capitals, in quotation marks or
in digits. The customer's own words in quotation marks count for nothing: they are to be quoted.

Measured on 1,662 texts of Mistral-7B for real reviews: none is a fault, but for two that still repeated their prompt.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.core.defuse import defused

PREFIX = "suspicious: "  # of every fault found here, among those of `Written.faults`
_RUN = 10  # words in a row that the text has from the prompt's instructions
_SECTION = re.compile(r"<(review|text_a|text_b)>.*?</\1>", re.DOTALL)  # of a prompt: what others wrote
_WORD = re.compile(r"\w+")
_QUOTED = re.compile(
    r"“([^”\n]{1,400})”|\"([^\"\n]{1,400})\"|«([^»\n]{1,400})»|„([^“”\n]{1,400})[“”]|「([^」\n]{1,400})」"
)

_WEB = re.compile(
    r"\bh(?:tt|xx)ps?\s?:\s?//[^\s<>\"”)\]]{1,300}|\bwww\.[^\s<>\"”)\]]{1,300}|\b[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]{2,64}"
    r"|\b[\w-]{2,63}\s?(?:\[\.\]|\(dot\)|\[dot\])\s?[a-z]{2,10}\b"
    r"|\b[\w-]{2,63}\.(?:com|net|org|io|info|biz|xyz|ru|cn|top|site|online|shop|app|link|click|ly|me|tk)\b(?:/[^\s<>\"”)\]]{0,300})?",
    re.IGNORECASE,
)
_PHONE = re.compile(r"(?<![\w.,/-])\+?\(?\d(?:[ ().\-/]{0,2}\d){8,14}(?![\w/-])")
_MARKUP = re.compile(
    r"!\[[^\]\n]{0,200}\]|\]\(\s*[^)\s]{1,300}|<\s*/?\s*(?:a|img|script|iframe|style|svg|form|object|embed|link|meta|input|button|html|"
    r"body|video|audio|base)\b[^<\n]{0,300}>|\bjavascript\s*:|\bdata:\w{1,20}/|\bon(?:error|load|click)\s*=",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"\bDROP\s+TABLE\b|\bSELECT\s[^\n]{1,80}\sFROM\b|\bINSERT\s+INTO\b|\bDELETE\s+FROM\b|\bUNION\s+(?:ALL\s+)?SELECT\b|\bOR\s+1\s*=\s*1\b"
    r"|^\s*(?:import\s+\w+|from\s+\w+\s+import\b|def\s+\w+\(|#!/|sudo\s|rm\s+-rf)|\brm\s+-rf\b|\bos\.system\(|\bconsole\.log\(|\beval\("
    r"|\bprint\(|\bcurl\s+-|\bsubprocess\b|\{\{.{0,80}\}\}|\$\{\w",
    re.MULTILINE,
)
_SELF = re.compile(
    r"\bas an? (?:ai|large language model|language model|artificial intelligence)\b|\bi(?:'m| am) an? (?:ai|language model|bot)\b"
    r"|\b(?:als|bin) (?:eine? )?(?:ki|künstliche intelligenz|sprachmodell)\b|\ben tant qu['’]ia\b|\ben tant que modèle\b|\bcomo (?:una? )?(?:ia|"
    r"inteligencia artificial|modelo de (?:lenguaje|linguagem))\b|\bcome (?:una? )?(?:ia|modello linguistico|intelligenza artificiale)\b"
    r"|作为(?:一个|一名)?(?:AI|人工智能|语言模型)|(?:AI|人工知能|言語モデル)として|\bкак (?:ии|языковая модель|искусственный интеллект)\b"
    r"|\b(?:my|the|your|this|its) (?:system|initial|original|hidden|secret|previous) (?:prompt|instructions?|message)\b|\bsystem prompt\b"
    r"|\b(?:ignor|disregard|overrid|forget)\w{0,4} (?:all |any |the |my |your |these |those )*(?:previous|prior|above|earlier|former|safety) "
    r"|\bi (?:can(?:'|no|’)t|can not|am unable to|won't|will not) (?:assist|comply|help with|provide|fulfil|answer)\b"
    r"|\bi(?:'m| am) sorry,? but i\b|\b(?:developer|debug|god|dan|jailbreak|unrestricted) mode\b|\bjailbr(?:eak|oken)\w*"
    r"|\bi (?:was|have been|am) (?:told|instructed|asked|programmed) to\b|\bmy (?:instructions|programming|training data|guidelines)\b",
    re.IGNORECASE,
)
_BOAST = re.compile(
    r"\b(?:HACKED|PWNED|OWNED|0WNED|H4CKED|JAILBROKEN|INJECTED|COMPROMISED|INJECTION SUCC\w*)\b|\[(?:DAN|GPT)\]"
)
_TURN = re.compile(
    r"^\s*(?:#{1,4}\s*)?(?:system|user|assistant|human|ai|bot|instruction|response)\s*:\s", re.IGNORECASE | re.MULTILINE
)
_AGAIN = re.compile(r"\b(\w{2,40})(?:\W{1,5}\1\b){6,}", re.IGNORECASE)
_BLOB = re.compile(r"(?=[A-Za-z+/]{0,39}\d)[A-Za-z0-9+/]{40,}={0,2}")
_HIDDEN = re.compile("[\U000e0000-\U000e007f\u202a-\u202e\u2066-\u2069]")
_STARS = re.compile(r"[★⭐]\s?(?:[★⭐]\s?){3,}|\b(?:rating|score|stars?)\s*[:=]\s*(?:5|10|five|ten)\b|\b(?:5|10)\s?/\s?(?:5|10)\b", re.IGNORECASE)  # fmt: skip

# Words with which a review speaks to a model, in the languages of most reviews.
_TO_A_MODEL = re.compile(
    "|".join(
        (
            r"\b(?:ignor|disregard|overrid|forget|bypass)\w{0,4}\b[^.\n]{0,40}\b(?:instruct|prompt|rule|above|previous|prior|guideline|everything)",
            r"\b(?:system|developer|hidden|initial|your|this|the)\s+(?:prompt|instructions?)\b|\b(?:prompt|jailbreak|llm|gpt|chatgpt|dan)\b",
            r"\b(?:language model|ai (?:model|assistant|system)|assistant|chatbot)\b|\byou are (?:now|no longer|an?|my)\b|\bfrom now on\b",
            r"\b(?:act|behave|pretend|role-?play)\b[^.\n]{0,20}\b(?:as|to be|you)\b|\bnew (?:instruction|task|rule|order)s?\b",
            r"\b(?:your|the) (?:answer|reply|response|output|feedback|json)\b",
            r"\b(?:output|print|respond|reply|answer|say|write|repeat|return|add|append|insert|include|encode|decode|translate|execute|run|rate|"
            r"summari[sz]e)\b[^.\n]{0,24}(?:\b(?:only|exactly|just|with|the following|this|below|json|code|text)\b|:)",
            r"\b(?:ignorier|vergiss|missacht|antworte|schreib|gib|sag)\w{0,4}\b[^.\n]{0,40}(?:anweisung|regel|prompt|nur|aus|wort|:)",
            r"\b(?:ignor|oubli|répond|écri|affich)\w{0,5}\b[^.\n]{0,40}(?:instruction|consigne|règle|prompt|seulement|uniquement|mot|:)",
            r"\b(?:ignor|olvid|esquec|dimentic|respond|rispond|escrib|escrev|scriv|di)\w{0,4}\b[^.\n]{0,40}"
            r"(?:instruc|istruz|regl|regr|regol|prompt|solo|só|apenas|soltanto|:)",
            r"忽略|无视|無視|指令|指示|系统提示|只(?:输出|回复|回答|写)|プロンプト|出力|игнорир|забудь|инструкц|напиши|ответь|выведи",
            r"yoksay|talimat|abaikan|instruksi|무시|지시|تجاهل|التعليمات|अनदेखा|निर्देश",
        )
    ),
    re.IGNORECASE,
)
_ORDER = re.compile(r"\b(?i:say|write|print|output|reply|answer|repeat)\s+(?:(?i:with|the word)\s+)?[A-Z]{4,}\b")
_LOUD = re.compile(r"\b(?:[^\W\d_a-zß-öø-ÿ]{4,}|[A-Z]+[\d_-][A-Z\d_-]*)\b")
_MARKS = "\"“”„«»'‘’`「」『』"
_SAID = (re.compile(f"[{_MARKS}]([^{_MARKS}\n]{{3,120}})[{_MARKS}]"), re.compile(r":\s*([^\n.:]{3,80})\s*(?=[.\n]|$)"))
_SUM = re.compile(r"(?:[$€£¥]|USD|EUR)\s?\d[\d.,]*|\d[\d.,]*\s?(?:[$€£¥]|USD|EUR|euros?|dollars?)\b", re.IGNORECASE)


def suspicions(text: str, prompt: str, review: str) -> list[str]:
    """What is suspicious about a text that a model wrote for a review, a sentence each, with PREFIX; nothing: it may be shown."""
    own = _without_quotes(text, review)
    if not own.strip():
        return []
    found = []
    if defused(own, "review") != own:
        found.append("it holds marks of a chat or of the prompt")
    if _HIDDEN.search(own):
        found.append("it holds invisible characters")
    if _runs(own, _SECTION.sub("\n", prompt), review):
        found.append("it repeats the prompt's instructions")
    found += [f'it names an address, "{address[:60]}"' for address in _foreign(own, review)]
    for pattern, what in (
        (_MARKUP, "it holds links or markup"),
        (_CODE, "it holds code"),
        (_SELF, "it speaks of itself or of its instructions"),
        (_BOAST, "it boasts of an attack"),
        (_TURN, "it holds the turns of a chat"),
        (_AGAIN, "it repeats one word"),
        (_BLOB, "it holds encoded text"),
        (_STARS, "it gives stars"),
    ):
        if (match := pattern.search(own)) and not (pattern is _STARS and match[0] in review):
            found.append(f'{what}, "{match[0].strip()[:60]}"')
    if done := _obeyed(own, review):
        found.append(f'it says what the review tells a model to say, "{done[:60]}"')
    return [PREFIX + what for what in found]


def _without_quotes(text: str, review: str) -> str:
    """The text without those of the customer's words that stand in quotation marks."""
    said = " ".join(review.split()).lower()

    def kept(quote: re.Match[str]) -> str:
        words = " ".join(next(filter(None, quote.groups())).strip(" .,…").split())
        return "“”" if len(words.split()) > 1 and words.lower() in said else quote[0]

    return _QUOTED.sub(kept, text)


def _runs(text: str, instructions: str, review: str) -> bool:
    """Whether the text has _RUN words in a row from the instructions, which the review does not have."""
    told = _grams(instructions) - _grams(review)
    return bool(told and told & _grams(text))


def _grams(text: str) -> set[tuple[str, ...]]:
    words = _WORD.findall(text.lower())
    return {tuple(words[at : at + _RUN]) for at in range(len(words) - _RUN + 1)}


def _foreign(text: str, review: str) -> list[str]:
    """Addresses and telephone numbers that the review does not hold."""
    said, digits = "".join(review.lower().split()), "".join(re.findall(r"\d", review))
    addresses = [found[0].rstrip(".,;:!?") for found in _WEB.finditer(text)]
    phones = [found[0] for found in _PHONE.finditer(text)]
    return [one for one in addresses if "".join(one.lower().split()) not in said] + [
        one for one in phones if "".join(re.findall(r"\d", one)) not in digits
    ]


def _obeyed(text: str, review: str) -> str:
    """What the text has from a review that speaks to a model: "" where it has nothing, or the review does not."""
    if not _speaks_to_a_model(review):
        return ""
    asked: Sequence[str] = [found[0] for pattern in (_WEB, _PHONE, _SUM) for found in pattern.finditer(review)]
    if not _mostly_loud(review):
        asked = [*asked, *(found[0] for found in _LOUD.finditer(review))]
    for one in asked:
        if one in text:
            return one
    lower = text.lower()
    said = (found[1].strip(f" {_MARKS}") for pattern in _SAID for found in pattern.finditer(review))
    return next((one for one in said if len(one) > 3 and _is_core(one.lower(), lower)), "")


def _speaks_to_a_model(review: str) -> bool:
    return bool(_TO_A_MODEL.search(review) or _ORDER.search(review) or _HIDDEN.search(review)) or (
        defused(review, "review") != review
    )


def _is_core(words: str, text: str) -> bool:
    """Whether the text begins or ends with these words, or hardly holds more than them."""
    bare = text.strip(' .!?"“”*\n')
    return (
        bare.startswith(words)
        or bare.endswith(words)
        or (words in bare and 3 * text.count(words) * len(words) > len(bare))
    )


def _mostly_loud(review: str) -> bool:
    letters = [one for one in re.sub(r"\w*_\w*", "", review) if one.isalpha()]  # but for names of tokens
    return sum(map(str.isupper, letters)) > len(letters) / 2
