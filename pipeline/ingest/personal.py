"""Which columns hold personal data, by their names in several languages and by their values. They never become attributes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.ingest.names import NAMES, plain

_PERSON = "reviewer|author|user|customer|guest|buyer|consumer|client|profile|respondent|recipient|rater|member|person|contact|autor|auteur|usuario|kunden?"
# Parts of plain names. "name" alone is no sign of a person: devices, versions and products have names too.
_PARTS = re.compile(
    rf"""
    ({_PERSON}).*(name|link|mail|initials?|photo|image|picture|thumbnail|location|city)$
    | (first|last|full|given|family|middle|sur|user|nick|display|screen|vor|nach)name
    | mail | correo | courriel | eposta | почта | 邮箱 | 郵箱 | メール | 이메일
    | ^(cell|mobile)?(tele)?phone | phone(no|number)?$ | telefon | telefoon | handynummer | телефон | 电话 | 手机 | 電話 | 전화
    | ^ip$ | ipadd?ress | useragent | fingerprint | avatar | birth | geburt
    | address | adresse | direccion | indirizzo | endereco | adres$ | адрес | 地址 | 住所 | 주소 | alamat | street | strasse | postcode | postalcode | zipcode
    | prenom | apellido | cognome | sobrenome | voornaam | achternaam | nazwisko | fornamn | efternamn | fornavn | (efter|etter)navn | soyad | фамилия | 姓名
    """,
    re.VERBOSE,
)
_OF_A_PERSON = re.compile(
    r"country|nationality|language|locale|verified|localguide|gender|age$"
)  # and yet identifies none
_VALUES = re.compile(
    r"\S+@\S+\.\w+|(https?:)?//\S+|www\.\S+|\d{1,3}(\.\d{1,3}){3}|[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}|(\+|00?)[\d ()/-]{8,}\d"
)

_IDENTIFIERS = re.compile(r"(u|gu)?ids?|ur[li]s?|links?|href|permalink|lat|lng|lon|latitude|longitude|index|epoch")
_NUMBERED = re.compile(
    r"(order|reservation|booking|invoice|ticket|reference)(no|nr|num|number|id|reference)|.*(nummer|numero|номер|番号|编号|編號)|unnamed:?\d*|\d+|#"
)
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def is_personal(name: str, values: Sequence[str]) -> bool:
    """Whether a column may identify a person: names, e-mail, phone and IP addresses, profiles; or one in ten values looks so."""
    short = plain(name)
    of_a_person = any(part in NAMES["author"] for part in short.split(".")[:-1]) and not _OF_A_PERSON.search(short)
    if short in NAMES["author"] or of_a_person or _PARTS.search(short):
        return True
    return 10 * sum(bool(_VALUES.fullmatch(value.strip().lower())) for value in values) >= max(len(values), 1)


def is_identifier(name: str) -> bool:
    """Whether a column's name says that it holds ids, links, counts of rows or coordinates, by which nobody groups reviews."""
    words = _WORDS.findall(name)
    return bool(words and _IDENTIFIERS.fullmatch(words[-1].lower())) or bool(_NUMBERED.fullmatch(plain(name)))
