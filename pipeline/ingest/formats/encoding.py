"""Which encoding a text is in that is not Unicode, as spreadsheets outside of western Europe save it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from pipeline.text.language import detect_languages
from pipeline.text.script import HANGUL

_SAMPLE = 20_000  # bytes
_SAMPLE_LINES = 1_000
_EVIDENT = 6  # bytes outside ASCII, of valid UTF-8: fewer are so by chance in Chinese encodings
# Of cells and lines. No byte that divides them is part of a longer character in any of the encodings below.
_PIECE = re.compile(rb"[^\r\n\t\",;]+")
_HIGH_RUN = re.compile(rb"[\x80-\xff]{3,}")
_OUTSIDE_ASCII = re.compile("[^\x00-\x7f\u2010-\u203a]")  # without dashes and quotation marks

# After a small letter: what is a letter or an apostrophe in Mac Roman, but neither a letter nor usual in Windows' code
# pages (0x85, 0x91 to 0x97 and 0x99 are their dashes, quotation marks and signs), and the letters of the latter.
_MAC_LETTER = re.compile(rb"(?<=[a-z])[\x81-\x84\x86-\x90\x98\x9a-\x9f\xd2-\xd5]")
_WINDOWS_LETTER = re.compile(rb"(?<=[a-z])[\xa0-\xd1\xd6-\xff]")

_LATIN = {**dict.fromkeys(("cs", "hu", "pl", "ro"), "cp1250"), "tr": "cp1254"}  # by language; others: cp1252
_KANA = re.compile("[\u3041-\u30fe]")  # full width: half-width kana is what other encodings look like in cp932
# Encodings of a script that hardly appears when another one is decoded by mistake, and its least share outside ASCII.
_OWN_SCRIPT = {
    "cp932": (_KANA, 0.25),
    "euc_jp": (_KANA, 0.25),
    "cp949": (re.compile(f"[{HANGUL}]"), 0.8),
    "cp1255": (re.compile("[\u05d0-\u05ea]"), 0.98),
    "cp1256": (re.compile("[\u0600-\u06ff]"), 0.9),
}
_OTHERS = ["gb18030", "big5", "cp1251", "cp1253", "cp1255", "cp1256"]


def detect_encoding(lines: Iterable[bytes]) -> str:
    """The likely encoding of a text that is not UTF-8, judged from the first 20 kB of its cells outside ASCII: by language
    for Latin script, by script for Japanese, Korean, Hebrew and Arabic, else by charset-normalizer. cp1252 if uncertain.
    """
    cells = _sample(lines)
    if sum(map(_is_utf8, cells)) >= len(cells) / 2:
        return "cp1252"  # UTF-8 with a few damaged characters, which repair() restores from cp1252
    sample = b"\n".join(cells)
    # In Latin script, letters outside ASCII stand alone or in pairs; a word in another script consists of them.
    in_runs = sum(map(len, _HIGH_RUN.findall(sample)))
    if in_runs < sum(byte >= 0x80 for byte in sample) / 2:
        return _latin(sample)
    return _own_script(sample) or _most_plausible(sample) or "cp1252"


def detect_second_encoding(lines: Iterable[bytes]) -> str | None:
    """The other encoding of a text of which a part is UTF-8, as when two exports were pasted into one file; None if no tenth
    of its lines outside ASCII is.
    """
    own, others = 0, 0
    sample: list[bytes] = []
    for line in lines:
        if line.isascii():
            continue
        if is_foreign(line):
            others += 1
            sample += [line] if len(sample) < _SAMPLE_LINES else []
        elif _high_bytes(line) >= _EVIDENT:
            own += 1
    return detect_encoding(sample) if others and 10 * own >= own + others else None


def is_foreign(line: bytes) -> bool:
    """Whether a line is neither UTF-8 nor UTF-8 with a few damaged characters."""
    if _is_utf8(line):
        return False
    kept = line.decode("utf-8", "ignore")
    return 5 * (len(line) - len(kept.encode())) > _high_bytes(line)


def _high_bytes(line: bytes) -> int:
    return len(line) - len(line.decode("ascii", "ignore"))


def _sample(lines: Iterable[bytes]) -> list[bytes]:
    cells: list[bytes] = []
    size = 0
    for line in lines:
        if line.isascii():
            continue
        for match in _PIECE.finditer(line):
            if not match[0].isascii():
                cells.append(match[0])
                size += len(match[0])
                if size > _SAMPLE:
                    return cells
    return cells


def _is_utf8(cell: bytes) -> bool:
    try:
        cell.decode()
    except UnicodeDecodeError:
        return False
    return True


def _latin(sample: bytes) -> str:
    if len(_MAC_LETTER.findall(sample)) > len(_WINDOWS_LETTER.findall(sample)):
        return "mac_roman"
    text = sample.decode("cp1252", "replace")
    found = Counter(detect_languages([text[start : start + 240] for start in range(0, len(text), 240)]))
    ((language, _),) = found.most_common(1)
    return _LATIN.get(language or "", "cp1252")


def _own_script(sample: bytes) -> str | None:
    for encoding, (script, share) in _OWN_SCRIPT.items():
        try:
            text = sample.decode(encoding)
        except UnicodeDecodeError:
            continue
        if len(script.findall(text)) >= share * max(1, len(_OUTSIDE_ASCII.findall(text))):
            return encoding
    return None


def _most_plausible(sample: bytes) -> str | None:
    """The encoding of _OTHERS in which the text looks least like noise; None if it looks so in all."""
    from charset_normalizer import from_bytes

    matches = from_bytes(sample, cp_isolation=_OTHERS, threshold=0.6, preemptive_behaviour=False, enable_fallback=False)
    best = matches.best()
    return best.encoding if best else None
