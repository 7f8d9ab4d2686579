"""What identifies a person in a text, and what only looks like it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import pytest

from pipeline.text.private import KINDS, Mask, counted, find, masked

HIDDEN = {
    "e-mail": ["anna.meyer@example.com", "ANNA+shop@mail.example.co.uk", "anna [at] example [dot] org", "o'neil@пример.рф"],
    "phone": [
        "+49 151 23456789", "+1 (415) 555-0123", "0044 20 7946 0958", "415-555-0123", "(415) 555-0123", "06 12 34 56 78",
        "0151-23456789", "13812345678", "+33612345678", "+91 98765 43210",
    ],
    "card": ["4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005"],
    "iban": ["DE89 3704 0044 0532 0130 00", "GB29NWBK60161331926819", "fr1420041010050500013m02606"],
    "id": ["123-45-6789", "529.982.247-25", "12345678Z", "11010519491231002X", "RSSMRA85T10A562S", "AB 12 34 56 C"],
    "ip": ["84.23.11.200", "2a00:1450:4001:81b::200e"],
    "link": [
        "https://shop.example/reset?token=8f3b2c", "http://anna:secret@example.com/x", "instagram.com/anna.meyer",
        "https://example.com/users/anna", "https://example.com/o/8f3b2c9d1e7a4455bc",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in HIDDEN.items() for value in values])
def test_patterned_values_are_hidden_in_any_sentence(kind: str, value: str) -> None:
    assert masked(f"Write to {value}, please") == f"Write to [{kind}], please"
    assert masked(f"{value}") == f"[{kind}]"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("Dr. Meyer was rude. Meyer never apologised.", "Dr. [name] was rude. [name] never apologised."),
        ("Frau Schulz-Müller war nett", "Frau [name] war nett"),
        ("Mme Dupont nous a reçus", "Mme [name] nous a reçus"),
        ("La Sra. López y el Sr. Ruiz", "La Sra. [name] y el Sr. [name 2]"),
        ("La signora Rossi è gentile", "La signora Rossi è gentile"),  # in small letters it is any lady
        ("La Sig.ra Rossi è gentile", "La Sig.ra [name] è gentile"),
        ("my name is Anna Smith and I want a refund", "my name is [name] and I want a refund"),
        ("Mein Name ist Hans Huber.", "Mein Name ist [name]."),
        ("our waiter called Marco was slow", "our waiter called [name] was slow"),
        ("We were served by Anna.", "We were served by [name]."),
        ("ask for the manager, Amanda, she helps", "ask for the manager, [name], she helps"),
        ("感谢王先生和李小明女士", "感谢[name]先生和[name 2]女士"),
        ("佐藤さんと山田様が親切", "[name]さんと[name 2]様が親切"),
        ("担当のマルコさんはよかった", "担当の[name]さんはよかった"),
        ("김민수 씨가 친절", "[name] 씨가 친절"),
        ("Ahmet Bey çok ilgili", "[name] Bey çok ilgili"),
        ("Меня зовут Анна", "Меня зовут [name]"),
        ("Dear Anna, the room was cold", "Dear [name], the room was cold"),
        ("Never again.\nBest regards,\nJohn Smith", "Never again.\nBest regards,\n[name]"),
        ("Mit freundlichen Grüßen, Anna van der Berg", "Mit freundlichen Grüßen, [name]"),
        ("DR. MEYER WAS VERY RUDE", "DR. [name] WAS VERY RUDE"),
        ("call 555 1234567 at night", "call [phone] at night"),
        ("my passport number is X1234567", "my passport number is [id]"),
    ],
)
def test_names_are_hidden_where_the_words_around_them_say_so(text: str, hidden: str) -> None:
    assert masked(text) == hidden


@pytest.mark.parametrize(
    "text",
    [
        "Order number 0123456789 of 12/03/2024 cost $1,234.56, flight BA 1234 on 2024-03-12 at 10:30.",
        "le 12.05.2024 à 10:30, (06.08.2015), 2019-2020, 10.000.000 won, 5 of 5 stars, 4.5/5, 100% cotton, 42x60x80 cm",
        "version 84.23.11.200, release 10.0.19041.1, router at 192.168.0.1",
        "Boston, 02199-3900, USA. ISBN 978-3-16-148410-0, tracking 1234 5678 9012 3456 7",
        "flight BA2581 back to Gatwick, NC10 runs almost 1500, room 1234567",
        "www.booking.com and https://www.example.com/hotels/boston-harbor are fine",
        "Dr. Martens boots, Dr Pepper and Madame Tussauds; I Miss You; Pani Puri was OK",
        "Dear Sir, Dear Amazon, Dear customer service, Hello everyone, thanks Google",
        "the doctor Who watches, the manager On duty, a dish called Paella, served by British Airways",
        "店员さん、スタッフさん、お客さん、皆さん、奥さん",
        "老师很好，那位先生，小姐姐，经理",
        "날씨가 좋고 아저씨가 친절",
        "Liebe Grüße aus Hamburg! Ich liebe Kaffee. Meine Frau war krank.",
        "email me @ home, 3 @ 5 euros each, look at example.com at noon",
        "12345678A is no id, 4111 1111 1111 1112 no card, GB29 NWBK 6016 1331 9268 20 no account",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert masked(text) == text


def test_the_same_value_has_the_same_placeholder_in_all_texts_that_belong_together() -> None:
    mask = Mask("Dr. Eva Meyer and Dr. Weber. anna@example.com")
    assert mask.hide("EVA MEYER was rude") == "[name] was rude"
    assert mask.hide("Weber, ANNA@example.com") == "[name 2], [e-mail]"
    assert mask.counts == {"name": 2, "e-mail": 1}
    assert mask.hide("Meyer, not a meyer") == "[name 3], not a meyer"  # a word of a name alone is another value
    assert mask.restore("[name 3], [name]") == "Meyer, Eva Meyer"


def test_what_was_hidden_is_put_back() -> None:
    mask = Mask()
    hidden = mask.hide("Dr. Meyer and Dr. Weber, not [name] nor [name 2]")
    assert "Meyer" not in hidden and "Weber" not in hidden
    assert mask.restore(hidden) == "Dr. Meyer and Dr. Weber, not [name] nor [name 2]"
    assert mask.restore("[Phone] [name 99]") == "[Phone] [name 99]"


def test_found_values_do_not_overlap() -> None:
    text = "Mail https://x.example/?mail=anna@example.com or Dr. Anna Meyer, +49 151 23456789"
    found = find(text)
    assert [text[one.start : one.end] for one in found][1:] == ["Anna Meyer", "+49 151 23456789"]
    assert all(one.end <= other.start for one, other in itertools.pairwise(found))


def test_counts_add_up_by_kind() -> None:
    assert counted([{"name": 2}, {"e-mail": 1, "name": 1}, {}]) == {"e-mail": 1, "name": 3}
    assert set(HIDDEN) | {"name"} == set(KINDS)


HOSTILE = ["1", "1 ", "+1", "(0", "a@", "a.", "@a.", "http://", "x.co/", "?a=", "A", "Ab ", "Dr. ", "Dr ", "par M. ", "my name is ", "Dear A",
           "王", "王先", "さん", "マ", "김", "a1", "DE89", "::", "1.1.1.1.", "4111 ", "passport is ", "call ", "order ", "[name]", "regards, ", "[at] ", "\u0900", "O'"]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_time_grows_with_the_length(piece: str) -> None:
    def seconds(length: int) -> float:
        text = (piece * length)[:length]
        return min(_timed(lambda: Mask(text).hide(text)) for _ in range(2))

    assert seconds(32_000) / max(seconds(2_000), 0.001) < 64  # 16 times the text; the square would be 256


def test_time_grows_with_the_number_of_values() -> None:
    def seconds(count: int) -> float:
        text = " ".join(
            f"Dr. {chr(65 + n % 26)}{'abcdefghij'[n % 10]}{'klmnopqrst'[n // 10 % 10]}{'uvwxyzabcd'[n // 100 % 10]} a{n}@b.example"
            for n in range(count)
        )
        return min(_timed(lambda: Mask(text).hide(text)) for _ in range(2))

    assert seconds(3_200) / seconds(200) < 64


def _timed(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start
