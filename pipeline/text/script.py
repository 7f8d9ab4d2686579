"""Character classes, written for use inside the brackets of a regular expression."""

from __future__ import annotations

import re

# Unicode blocks: Chinese characters (with extension A, compatibility forms and all extensions beyond the basic plane)
# and Japanese syllables (full and half width).
HAN = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U000323af"
KANA = "\u3040-\u30ff\uff66-\uff9f"
CJK = KANA + HAN
HANGUL = "\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff"

# Frozen without the rarer blocks above: the sketches of training texts hash texts split by this class.
TRAINED_CJK = "\u3040-\u30ff\u3400-\u9fff"
# Frozen: metrics in existing warehouses and baselines count words by this class.
METRIC_CJK = TRAINED_CJK + "\uf900-\ufaff"

# Control characters, line and paragraph separators, and marks that change the direction of text.
CONTROLS = "\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"

has_cjk = re.compile(f"[{CJK}]").search
starts_with_cjk = re.compile(f"[{CJK}]").match
has_dense = re.compile(f"[{CJK}{HANGUL}]").search  # scripts in which a few characters say as much as many letters
_CJK_RUN = re.compile(f"[{CJK}]+")


CHARACTERS = 4  # by `weight`, of a language model's token: a rule of thumb, where nothing was counted


def weight(text: str) -> int:
    """Length in characters, a Chinese or Japanese one counted as three, since it says as much."""
    return len(text) + 2 * sum(len(run) for run in _CJK_RUN.findall(text))
