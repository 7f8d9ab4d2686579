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
_LONGEST = 200  # characters of a value that tell what it is

# Whoever worked for a customer: reviews may be grouped by them, but their names need not leave with a report.
_WORKS = re.compile(
    r"""
    ^(served|handled|assisted|helped|treated|seen|answered)by$
    | (doctor|dentist|physician|surgeon|nurse|therapist|practitioner|provider|stylist|barber|hairdresser|waiter|waitress|server|bartender|barista
       |driver|courier|rider|technician|mechanic|installer|trainer|coach|instructor|teacher|tutor|guide|host|hostess|agent|advisor|adviser
       |consultant|rep|representative|employee|staff(member)?|colleague|cashier|clerk|manager|receptionist|salesperson|salesman|seller)(name)?s?$
    | (arzt|aerzt|mitarbeiter|kellner|fahrer|berater|verkaeufer|verkäufer|techniker|friseur|trainer|bearbeiter|ansprechpartner)(in)?(name)?$
    | ^(guest|patient|nombre|nome|nom|navn|namn|naam|imie|nama|isim|prenom|имя|фио|姓名|名前|이름|ism|اسم)$
    | empleado|empleada|camarero|medico|médico|conductor|vendedor|asesor|employe|employé|serveur|medecin|médecin|chauffeur|conseiller|vendeur
    | impiegato|cameriere|dottore|autista|commesso|funcionario|funcionário|garcom|garçom|atendente|medewerker|arts$|medarbejder|medarbetare
    | (сотрудник|врач|официант|водитель|менеджер|продавец)$ | 医生|医師|店员|店員|服务员|司机|担当者?$|スタッフ名?$|직원|의사
    """,
    re.VERBOSE,
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
    return 10 * sum(_identifies(value[:_LONGEST].strip().lower()) for value in values) >= max(len(values), 1)


def _identifies(value: str) -> bool:
    return _VALUES.fullmatch(value) is not None


def holds_names(name: str) -> bool:
    """Whether a column's name says that it holds the names of people: of customers, or of those who worked for them."""
    return bool(plain(name) in NAMES["author"] or _PARTS.search(plain(name)) or _WORKS.search(plain(name)))


def is_identifier(name: str) -> bool:
    """Whether a column's name says that it holds ids, links, counts of rows or coordinates, by which nobody groups reviews."""
    words = _WORDS.findall(name)
    return bool(words and _IDENTIFIERS.fullmatch(words[-1].lower())) or bool(_NUMBERED.fullmatch(plain(name)))
