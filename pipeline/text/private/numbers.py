"""Numbers that identify a person or an account: cards, IBANs, ids of states, phones and IP addresses.

Prices, dates, order numbers, sizes and versions are none of these: where a number has no shape or check digit of its own, a
word before it must say what it is.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

import phonenumbers

Span = tuple[int, int, str]  # start, end, kind

_ANY = re.compile(r"\d[\d .()/:-]{4,}\d|[\da-f]?:[\da-f]{0,4}:|\d[A-Z]\b|[A-Z]\d{2}", re.IGNORECASE)
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{2,4}){3,8}(?: ?[A-Z0-9]{1,3})?(?!\w)", re.IGNORECASE)
_CARD = re.compile(r"(?<![\w.,-])[2-6]\d{3}(?:[ -]?\d){8,14}\d(?![\w-])")
_SHAPED_IDS = re.compile(
    r"(?<![\w-])(?:"
    r"(?!000|666|9\d\d)\d{3}-(?!00)\d\d-(?!0000)\d{4}"  # SSN
    r"|\d{3}\.\d{3}\.\d{3}-\d\d"  # CPF
    r"|[A-Z]{6}\d\d[A-EHLMPRST]\d\d[A-Z]\d{3}[A-Z]"  # codice fiscale
    r"|(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z]{2} ?\d\d ?\d\d ?\d\d ?[A-D]"  # National Insurance
    r")(?![\w-])"
)
_DNI = re.compile(r"(?<![\w-])[XYZ\d]\d{7}-?[A-Z](?![\w-])")
_RESIDENT = re.compile(r"(?<![\w-])\d{17}[\dXx](?![\w-])")
_SAID_ID = re.compile(  # what a word before it calls an id; then any number will do
    r"(?:\b(?:ssn|social security|passport|national id|id card|driver'?s licen[cs]e|insurance no|NHS|medicare|personalausweis\w{0,8}|"
    r"reisepass\w{0,8}|ausweis\w{0,8}|steuer-?id|versichertennummer|passeport|num[ée]ro de s[ée]curit[ée] sociale|DNI|NIE|NIF|pasaporte|"
    r"CPF|RG|codice fiscale|passaporto|BSN|paspoort\w{0,6}|personnummer|CPR|PESEL|NIK|KTP|aadhaar|aadhar|PAN card|TC kimlik)\b"
    r"|身份证号?码?|护照号?码?|マイナンバー|パスポート番号|주민등록번호|여권번호|паспорт\w{0,2}|снилс)"
    r"[ :#=]{0,3}(?:(?:is|was|ist|est|es|no|nr|number|nummer|num[ée]ro|numero|номер|是|は)[.: #]{1,3}){0,2}"
    r"((?=[\w -]{0,12}\d)[A-Z0-9][A-Z0-9 -]{4,22}[A-Z0-9])(?!\w)",
    re.IGNORECASE,
)
_IPV4 = re.compile(r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:])(?:[\da-f]{0,4}:){3,7}[\da-f]{0,4}(?![\w:])", re.IGNORECASE)
_VERSION = re.compile(
    r"(?:\bv|ver|version|versione|versión|versão|update|release|firmware|build|版本|バージョン|버전)\W{0,3}$",
    re.IGNORECASE,
)

_PHONE = re.compile(r"(?<![\w.,/#$€£¥-])(?:\+|(?=[\d(]))[(\d](?:[ ./()-]{0,2}\d){6,15}(?![\w%$€£¥]|[.,:/-]\d)")
_NORTH_AMERICAN = re.compile(r"(?:1[ .-]?)?(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .-])[2-9]\d\d[ .-]\d{4}")
_CHINESE_MOBILE = re.compile(r"1[3-9]\d{9}")
_NO_PHONE = re.compile(  # a date with or without a time, years, a postal code of the USA
    r"\d{5}-\d{4}|(?:\d{4}[./ -]\d{1,2}[./ -]\d{1,2}|\d{1,2}[./ -]\d{1,2}[./ -]\d{2,4})(?:\D+\d{1,2}(?:[.:-]\d\d){0,2})?|(?:19|20)\d\d ?[-/] ?(?:19|20)\d\d"
)
_CALL = re.compile(
    r"\b(?:call(?:ed|ing)?|phone|tele?phone|tel|mobile|cell|whats ?app|wa|text(?:ed)?|sms|ring|fax|contact(?:ed)?|telefon\w{0,6}|anruf\w{0,4}|"
    r"handy\w{0,7}|ruf\w{0,3}|t[ée]l[ée]phone|appel\w{0,4}|portable|tel[ée]fono|m[óo]vil|celular|llam\w{1,5}|cellulare|chiam\w{1,5}|"
    r"telefone|ligu?\w{1,4}|telefoon\w{0,6}|bel|mobiel|telefonnr|tlf|mob|numer telefonu|telefonu|numara\w{0,3}|hp|nomor|"
    r"телефон\w{0,3}|тел|номер телефона|звон\w{1,5}|s[đd]t|số điện thoại|हमारा नंबर|मोबाइल|फोन|هاتف|جوال|رقمي|טלפון|นเบอร์)\b"
    r"|电话|手机|微信|電話|携帯|전화|휴대폰|연락처|โทร|เบอร์",
    re.IGNORECASE,
)
_ORDER = re.compile(
    r"(?:order|booking|reservation|invoice|ticket|ref(?:erence)?|tracking|confirmation|account|item|serial|model|imei|isbn|ean|code|case|"
    r"bestell\w{0,8}|auftrag\w{0,8}|rechnung\w{0,8}|kunden\w{0,8}|sendung\w{0,8}|commande|r[ée]servation|facture|pedido|factura|reserva|"
    r"ordine|fattura|prenotazione|bestelling|ordre|zam[óo]wieni\w|заказ\w{0,2}|订单号?|注文番号|주문번호?)s?\W{0,4}"
    r"(?:(?:is|no|nr|num(?:ber)?|nummer|id|numero|n[º°]|#)\W{0,3}){0,2}$",
    re.IGNORECASE,
)
_BEFORE = 40  # characters in which such a word may stand
# Whose numbers begin with a nought at home: a number is one of theirs if its length and area are right.
_REGIONS = ("GB", "DE", "FR", "IT", "NL", "BE", "AT", "CH", "SE", "RO", "UA", "FI", "AU", "NZ", "JP", "KR", "CN", "ID", "IN", "TR",
            "ZA", "NG", "EG", "IL", "TH", "VN", "MY", "BR", "AE")  # fmt: skip
_GROUPS = re.compile(r"\d+")


def find(text: str) -> Iterator[Span]:
    """The spans of private numbers, which may overlap."""
    if not _ANY.search(text):
        return
    for match in _IBAN.finditer(text):
        if length := _iban_length(match[0]):
            yield match.start(), match.start() + length, "iban"
    yield from ((*match.span(), "card") for match in _CARD.finditer(text) if _is_card(match[0]))
    yield from ((*match.span(), "id") for match in _SHAPED_IDS.finditer(text))
    yield from ((*match.span(), "id") for match in _DNI.finditer(text) if _is_dni(match[0]))
    yield from ((*match.span(), "id") for match in _RESIDENT.finditer(text) if _is_resident(match[0]))
    yield from ((*match.span(1), "id") for match in _SAID_ID.finditer(text))
    yield from ((*match.span(), "phone") for match in _PHONE.finditer(text) if _is_phone(text, match))
    for pattern in (_IPV4, _IPV6):
        yield from ((*match.span(), "ip") for match in pattern.finditer(text) if _is_ip(text, match))


def _iban_length(written: str) -> int:
    """Characters of `written` that are an IBAN (ISO 13616: modulo 97); words may follow it. 0: none."""
    for end in range(len(written), 14, -1):
        value = written[:end].replace(" ", "").upper()
        if 15 <= len(value) <= 34 and written[end - 1] != " " and sum(map(str.isdigit, value)) >= 10:
            digits = "".join(str(int(character, 36)) for character in value[4:] + value[:4])
            if int(digits) % 97 == 1:
                return end
    return 0


def _is_card(written: str) -> bool:
    """By the first digits of card networks and the check digit of Luhn (ISO 7812)."""
    digits = re.sub(r"\D", "", written)
    known = re.match(r"4|5[1-5]|2[2-7]|3[47]|3[0689]|35|6[025]|50|5[6-8]", digits)
    doubled = "".join(str(int(digit) * 2) if at % 2 else digit for at, digit in enumerate(reversed(digits)))
    return bool(known) and 13 <= len(digits) <= 19 and len(set(digits)) > 1 and sum(map(int, doubled)) % 10 == 0


def _is_dni(written: str) -> bool:
    """Spain's, by its letter."""
    value = written.replace("-", "")
    number = int({"X": "0", "Y": "1", "Z": "2"}.get(value[0], value[0]) + value[1:8])
    return "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23] == value[8]


def _is_resident(written: str) -> bool:
    """China's, by the day of birth in it and its check character (ISO 7064)."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    check = sum(int(digit) * weight for digit, weight in zip(written[:17], weights, strict=True)) % 11
    return bool(re.fullmatch(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])", written[6:14])) and (
        "10X98765432"[check] == written[17].upper()
    )


def _is_ip(text: str, match: re.Match[str]) -> bool:
    """Not that of a network at home, which is nobody's, and no version of an app."""
    if _VERSION.search(text[max(match.start() - 15, 0) : match.start()]):
        return False
    try:
        address = ipaddress.ip_address(match[0])
    except ValueError:
        return False
    return address.is_global and (address.version == 6 or len(match[0]) >= 10)


def _is_phone(text: str, match: re.Match[str]) -> bool:
    written = match[0]
    digits = re.sub(r"\D", "", written)
    before = text[max(match.start() - _BEFORE, 0) : match.start()]
    if not 7 <= len(digits) <= 15 or _NO_PHONE.fullmatch(written.strip("() ")):
        return False
    if written.startswith("+") or (written.startswith("00") and len(digits) >= 11):
        return _is_possible(f"+{digits}" if written.startswith("+") else f"+{digits[2:]}")
    if _ORDER.search(before):
        return False
    if _CALL.search(before):
        return not _is_price(written)
    if _NORTH_AMERICAN.fullmatch(written) or _CHINESE_MOBILE.fullmatch(written):
        return True
    grouped = len(_GROUPS.findall(written)) > 1
    return written.lstrip("(").startswith("0") and len(digits) >= (9 if grouped else 10) and _is_somebodys(written)


def _is_price(written: str) -> bool:
    return bool(re.fullmatch(r"\d{1,3}(?:[ .]\d{3})+", written))


def _is_possible(number: str) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        return False


def _is_somebodys(written: str) -> bool:
    for region in _REGIONS:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(written, region)):
                return True
        except phonenumbers.NumberParseException:
            return False
    return False
