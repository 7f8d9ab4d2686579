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
_NULL_WORDS = (
    "nan",
    "null",
    "none",
    "n/a",
    "#n/a",
    "undefined",
    "(no comment)",
    "no comments available for this review",
)


def own_words(text: str) -> str:
    """A review without what its platform added: Google's translation, Trustpilot's date of experience and Skytrax's mark
    of verification. Empty if all of it is a word for "nothing", such as NULL.
    """
    text = _VERIFIED.sub("", _original(text))
    text = _EXPERIENCE.sub("", text).strip()
    return "" if text.rstrip(".").lower() in _NULL_WORDS else text


def _original(text: str) -> str:
    """The original of a text that Google translated: what stands after "(Original)", or before the translation."""
    before, translated, rest = text.partition(_TRANSLATED)
    if not translated:
        return text
    translation, _, original = rest.partition(_ORIGINAL)
    return next((part for part in (original, before, translation) if part.strip()), "")
