"""Takes away what platforms and exports put around a review's own words."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_BLOCK_NAMES = """
    article aside blockquote br center dd div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 header hr li nav ol p pre
    section table tbody tfoot thead tr ul
"""
# Without elements that are placeholders in plain text, such as "Dear <title>" or "the <code> did not work".
_INLINE_NAMES = """
    a abbr b bdi bdo big col colgroup del em font i img ins kbd q s samp small span strike strong style sub sup script td th
    tt u var wbr
"""
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_INLINE = frozenset(_INLINE_NAMES.split())
_HIDDEN = ("script", "style")  # their content is not meant to be read
_LITERAL_LESS = re.compile(rf"<(?!(?:/?(?:{'|'.join(sorted(_BLOCKS | _INLINE))})(?=[\s/>])|!--))", re.IGNORECASE)
_LESS, _AMPERSAND = "\x00", "\x01"  # stand for literal characters that the parser would interpret


class _PlainText(HTMLParser):
    """Collects the text between tags, with line breaks for block elements."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.parts: list[str] = []
        self._hidden_from: int | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.parts.append("\n")
        elif tag in _HIDDEN:
            self._hidden_from = len(self.parts)
        else:
            self._separate(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN and self._hidden_from is not None:
            del self.parts[self._hidden_from :]
            self._hidden_from = None
        elif tag != "br":
            self._separate(tag)

    def set_cdata_mode(self, elem: str, *, escapable: bool = False) -> None:
        """Not entered: a "<script>" that is never closed must not hide the tags after it."""

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    def _separate(self, tag: str) -> None:
        if tag in _BLOCKS and self.parts and not self.parts[-1].endswith("\n"):
            self.parts.append("\n")
        elif tag in ("td", "th"):
            self.parts.append(" ")


def strip_html(text: str) -> str:
    """The text of HTML: block elements start and end a line, other tags and comments go, and so does the content of
    scripts and style sheets. What only looks like a tag ("<3", "a < b", "<name>") stays. Entities must be decoded before.
    """
    if "<" not in text:
        return text
    parser = _PlainText()
    # Only known elements reach the parser, which would take "</3" for the start of a comment.
    parser.feed(_LITERAL_LESS.sub(_LESS, text).replace("&", _AMPERSAND))
    plain = "".join(parser.parts) + parser.rawdata  # rawdata: a tag that is never closed
    return plain.replace(_LESS, "<").replace(_AMPERSAND, "&")


_TRANSLATED, _ORIGINAL = "(Translated by Google)", "(Original)"
_VERIFIED = re.compile(r"\A(?:\W*(?:(?:trip|not) verified|verified review)\s*\|\s*)+", re.IGNORECASE)
_EXPERIENCE = re.compile(r"\s*\bdate of experience:?\s*[\w., ]{0,20}\d{4}\.?\s*\Z", re.IGNORECASE)
# Amazon's line above a review, in its larger shops.
_REVIEWED = re.compile(
    r"(?:reviewed in|rezension aus|bewertet in|comment\w* (?:en|au|aux)|(?:revisad|calificad|reseñad|valorad)o en"
    r"|recensito (?:in|nel|nei|negli)|avaliado (?:em|no|na|nos)|beoordeeld in|recenserad i|opinia z)"
    r" \D{1,60}\d{1,2}\b[\w., ]{1,20}\d{4}\.?",
    re.IGNORECASE,
)
_READ_MORE = """
    read more|read full review|show more|see more|mehr lesen|weiterlesen|mehr anzeigen|lire la suite|voir plus|leer más|ver más
    |leggi tutto|mostra altro|ler mais|leia mais|ver mais|lees meer|lees verder|läs mer|læs mere|les mer|czytaj więcej
    |читать дальше|devamını oku|もっと見る|続きを読む|阅读全文
"""
# The link at the end of a text that a page cut; "More" alone only right after the dots.
_CUT = re.compile(
    rf"(?:(\.\.\.|…)\s*|\n\s*)(?:{'|'.join(map(str.strip, _READ_MORE.split('|')))})\W{{0,3}}\Z"
    r"|(\.\.\.|…)(?:more|mehr|plus|más|altro|mais|meer)\Z",
    re.IGNORECASE,
)
_TAIL = 60  # characters that can hold what stands at the end
_ONLY_DOTS = re.compile(r"[\s.…_/–—-]*")
_FILLER_LIST = """
    nan|null|none|n/a|n.a|undefined|#n/a|#name?|#value!|#ref!|#num!|#null!|#div/0!
    |no comment|no comments|no comments available for this review
    |there are no comments available for this review|no review text|no text provided|kein kommentar|keine kommentare|keine angabe
    |keine angaben|k.a|es gibt keine kommentare zu dieser bewertung|sin comentario|sin comentarios|ningún comentario
    |sans commentaire|pas de commentaire|aucun commentaire|nessun commento|senza commenti|sem comentário|sem comentários
    |geen commentaar|geen opmerkingen|ingen kommentar|ingen kommentarer|inga kommentarer|brak komentarza|bez komentarza
    |bez komentáře|без комментариев|нет комментариев|yorum yok|tidak ada komentar|tanpa komentar|无|無|没有|沒有|暂无|暂无评论
    |なし|特になし|コメントなし|없음|لا يوجد تعليق
"""
FILLERS = frozenset(map(str.strip, _FILLER_LIST.split("|")))  # what stands for an empty review


def own_words(text: str) -> str:
    """A review without what its platform added: Google's translation, Trustpilot's date of experience, Skytrax's mark of
    verification, the link "Read more" of a text that was cut. Empty if all of it is a filler, such as NULL or "No comment",
    or Amazon's line with country and date.
    """
    if not text:
        return ""
    text = _VERIFIED.sub("", _original(text)).strip()
    start = max(0, len(text) - _TAIL)
    text = text[:start] + _CUT.sub(r"\1\2", _EXPERIENCE.sub("", text[start:]))
    text = text.strip()
    return "" if is_filler(text) or (len(text) <= 120 and _REVIEWED.fullmatch(text)) else text


def is_filler(text: str) -> bool:
    """Whether a trimmed text stands for none: NULL, "No comment", dots or dashes."""
    word = text.strip("()").rstrip(".。 ").lower() if len(text) <= 60 else text
    return word in FILLERS or _ONLY_DOTS.fullmatch(text) is not None


def _original(text: str) -> str:
    """The original of a text that Google translated: what stands after "(Original)", or before the translation."""
    before, translated, rest = text.partition(_TRANSLATED)
    if not translated:
        return text
    translation, _, original = rest.partition(_ORIGINAL)
    return next((part for part in (original, before, translation) if part.strip()), "")


# --- Length ---

LONGEST_TEXT = 20_000  # characters; what is longer is a page or a broken file rather than a review
_SENTENCE_END = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’»)]*+(?=\s)|[。！？]|\n")


def bounded(text: str) -> str:
    """A text of at most LONGEST_TEXT characters: a longer one ends at its last sentence, line or at least word before that."""
    if len(text) <= LONGEST_TEXT:
        return text
    ends = [match.end() for match in _SENTENCE_END.finditer(text, LONGEST_TEXT // 2, LONGEST_TEXT + 1)]
    ends = [end for end in ends if end <= LONGEST_TEXT] or [text.rfind(" ", LONGEST_TEXT // 2, LONGEST_TEXT)]
    return text[: ends[-1] if ends[-1] > 0 else LONGEST_TEXT].rstrip()
