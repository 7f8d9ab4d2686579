from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.text.cleaning import FILLERS, LONGEST_TEXT, bounded
from pipeline.text.repair import _NOT_PLAIN, _decoded, _tidy, repair


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Great cafÃ©", "Great café"),
        ("It&#39;s fine &amp; clean", "It's fine & clean"),
        (r"First line\nSecond line", "First line\nSecond line"),
        (r"First\r\n\r\nSecond", "First\n\nSecond"),
        ("a<br />b", "a\nb"),
        ("  many   blanks\t here ", "many blanks here"),
        ("null\x00byte", "nullbyte"),
        ("很快，好吃！量大。", "很快，好吃！量大。"),
        (r"saved in C:\new folder", r"saved in C:\new folder"),
        ("Keep CASE, punctuation?! and 😀 12.50€", "Keep CASE, punctuation?! and 😀 12.50€"),
        ("", ""),
    ],
)
def test_text_comes_back_as_its_author_wrote_it(written: str, meant: str) -> None:
    assert repair(written) == meant


@given(st.text(st.characters(max_codepoint=127, categories=("L", "N")), min_size=1))
def test_plain_words_are_never_changed(text: str) -> None:
    assert repair(text) == ("" if text.lower() in FILLERS else text)


@given(st.text())
def test_repair_never_crashes(text: str) -> None:
    once = repair(text)
    assert "\x00" not in once and once == once.strip()


@given(
    st.text()
    | st.lists(st.sampled_from([*"<b>&;#Ã©â€™\\n", "<p", "</", "&amp", "lt;", "&#39;", "Read more", "…", "NULL"])).map(
        "".join
    )
)
def test_repair_is_idempotent(text: str) -> None:
    assert repair(repair(text)) == repair(text)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="<&\\") | st.just("\n")))
def test_a_plain_text_needs_no_decoding(text: str) -> None:
    assert _tidy(text) == _tidy(_decoded(text)) == repair(text)


@given(st.lists(st.sampled_from(["<p>", "</p>", "<b>", "<br/>", "</3", " < ", "<name>", "&amp;", "&", "fine"])))
def test_tags_go_and_all_else_stays(pieces: list[str]) -> None:
    words = "".join(piece for piece in pieces if piece not in ("<p>", "</p>", "<b>", "<br/>"))
    repaired = repair("".join(pieces))
    assert "".join(repaired.split()) == "".join(words.replace("&amp;", "&").split())


@pytest.mark.parametrize(
    ("html", "plain"),
    [
        ("<p>Warm <b>and</b> light.</p><ul><li>cheap</li><li>quick</li></ul>", "Warm and light.\ncheap\nquick"),
        ('<div>See <a href="https://example.org/?a=1&b=2">this</a>.<BR>Bad.</div>', "See this.\nBad."),
        ("&lt;p&gt;Fish &amp;amp; chips&lt;/p&gt;", "Fish & chips"),
        ("<!-- exported -->Fine<style>p {color: red}</style>, <script>alert('<b>')</script>really", "Fine, really"),
        ("<td>soft</td><td>warm</td>", "soft warm"),
        ("Love it <3, hate it </3, 5 < 6 and 7 > 6", "Love it <3, hate it </3, 5 < 6 and 7 > 6"),
        ("Dear <name>, your <title> is <b", "Dear <name>, your <title> is <b"),
        ("I hate <script> and <a lot more", "I hate and <a lot more"),
    ],
)
def test_html_becomes_plain_text(html: str, plain: str) -> None:
    assert repair(html) == plain


@pytest.mark.parametrize(
    ("shown", "written"),
    [
        ("(Translated by Google) Good soup.\n\n(Original)\nBuena sopa.", "Buena sopa."),
        ("Gute Suppe.\n\n(Translated by Google)\nGood soup.", "Gute Suppe."),
        ("(Translated by Google) Good soup.", "Good soup."),
        ("The menu says (Original) soup", "The menu says (Original) soup"),
        ("Late again. Date of experience: March 05, 2024", "Late again."),
        ("Late again.\n\nDate of experience: 5 March 2024", "Late again."),
        ("The date of experience is not shown", "The date of experience is not shown"),
        ("✅ Trip Verified |  Cold meal", "Cold meal"),
        ("Trip Verified | Cold meal | cold seat", "Cold meal | cold seat"),
        ("Not Verified |  Cold meal", "Cold meal"),
        ("My trip is not verified | why?", "My trip is not verified | why?"),
        ("The soup was cold and the waiter... Read more", "The soup was cold and the waiter..."),
        ("The soup was cold and the waiter …More", "The soup was cold and the waiter …"),
        ("Die Suppe war kalt.\nMehr lesen", "Die Suppe war kalt."),
        ("スープが冷たくて…もっと見る", "スープが冷たくて…"),
        ("I wanted to read more", "I wanted to read more"),
        ("Please, once more... more soup", "Please, once more... more soup"),
    ],
)
def test_what_a_platform_added_goes(shown: str, written: str) -> None:
    assert repair(shown) == written


PLAIN = "".join(character for character in map(chr, range(0x20, 0xD800)) if not _NOT_PLAIN.search(character))


@given(st.text(alphabet=st.sampled_from(PLAIN.replace(" ", "")), max_size=12))
@example(PLAIN)
def test_there_is_nothing_to_repair_in_what_is_taken_for_plain(text: str) -> None:
    assert _decoded(text) == text


@pytest.mark.parametrize(
    "word",
    [
        *(
            "nan",
            "NaN",
            "NULL",
            " None ",
            "n/a",
            "#N/A",
            "#NAME?",
            "No comments available for this review",
            "n.a.",
            "(No comment)",
        ),
        *("Keine Angabe", "sin comentarios", "Kein Kommentar.", "没有"),
    ],
)
def test_a_word_for_nothing_is_empty(word: str) -> None:
    assert repair(word) == ""
    assert repair(f"{word.strip()} of it was good") == f"{word.strip()} of it was good"


@pytest.mark.parametrize(
    "text",
    [
        *("-", ".", "...", "…", " – ", "无", "なし", "There are no comments available for this review"),
        *("Date of experience: March 05, 2024", "Reviewed in the United States on March 5, 2024"),
        *("Rezension aus Deutschland vom 5. März 2024", "Beoordeeld in Nederland op 5 maart 2024"),
    ],
)
def test_a_filler_is_empty(text: str) -> None:
    assert repair(text) == ""


@pytest.mark.parametrize(
    "text", ["nothing", "Nothing!", "?!", "👍", "Reviewed in detail 3 times, and it was good in 2019 too"]
)
def test_a_short_answer_is_no_filler(text: str) -> None:
    assert repair(text) == text


def test_a_text_beyond_the_bound_ends_with_a_whole_sentence_line_or_word() -> None:
    assert bounded("Short.") == "Short." and bounded("字" * LONGEST_TEXT) == "字" * LONGEST_TEXT
    assert bounded("It was cold. " * 5000).endswith(" It was cold.") and bounded("好吃。" * 10_000).endswith("好吃。")
    assert bounded("no full stop\n" * 5000).endswith("\nno full stop")
    assert bounded("word " * 10_000) == ("word " * (LONGEST_TEXT // 5)).rstrip()
    assert bounded("x" * 30_000) == "x" * LONGEST_TEXT


@given(st.lists(st.sampled_from(["It was 4.5 km. ", "好吃。", "word ", "\n", "x" * 3000, "a.b"]), min_size=1))
def test_a_bounded_text_is_a_prefix_and_keeps_at_least_half(pieces: list[str]) -> None:
    text = "".join(pieces) * 200
    cut = bounded(text)
    assert len(cut) <= LONGEST_TEXT and text.startswith(cut) and bounded(cut) == cut
    assert len(text) <= LONGEST_TEXT or len(cut) >= LONGEST_TEXT // 2
