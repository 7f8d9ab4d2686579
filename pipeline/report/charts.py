"""Charts as inline SVG: no script, no font, no separate file.

Hand-made because the page must stand alone, print well, and follow the reader's dark mode (currentColor), which a plotting
library's images do not. The report's charts are 360 units wide, so that their labels match the text on a phone; those of
the pages about models 560. Each has a title and a description that gives the same values in words.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH = 360
WIDE = 560
Share = tuple[str, float, float, float]  # label, share, and the low and high end of its interval
_COLOURS = ("#3b78bd", "#2f9e77", "#d9822b", "#c0392b", "#8a67b5", "#6b7c85")


def _svg(height: float, title: str, description: str, body: Sequence[str], width: int = WIDTH) -> str:
    name = escape(title, quote=True)
    return (
        f'<svg viewBox="0 0 {width} {height:.0f}" role="img" aria-label="{name}" xmlns="http://www.w3.org/2000/svg">'
        f"<title>{name}</title><desc>{escape(description)}</desc>{''.join(body)}</svg>"
    )


def _text(x: float, y: float, text: str, anchor: str = "start", size: int = 13) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="currentColor">{escape(text)}</text>'


def _rule(x1: float, x2: float, y: float) -> str:
    return f'<line x1="{x1:.1f}" x2="{x2:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="currentColor" stroke-width="0.7"/>'


def _short(label: str, limit: int = 20) -> str:
    return label if len(label) <= limit else label[: limit - 1] + "…"


def bars(title: str, values: Sequence[tuple[str, float]], colour: int = 0) -> str:
    """Horizontal bars, one per (label, value), each with its number written at its end."""
    highest = max((value for _, value in values), default=0) or 1
    body = []
    for row, (label, value) in enumerate(values):
        y, length = row * 25 + 4, 160 * value / highest
        body.append(_text(140, y + 13, _short(label), "end", 12))
        body.append(f'<rect x="146" y="{y}" width="{length:.1f}" height="17" rx="2" fill="{_COLOURS[colour]}"/>')
        body.append(_text(151 + length, y + 13, f"{value:g}", size=12))
    return _svg(len(values) * 25 + 8, title, ", ".join(f"{label} {value:g}" for label, value in values), body)


def shares(title: str, values: Sequence[Share]) -> str:
    """Horizontal bars of (label, share, low, high) on a common scale, each with its interval as a thin line."""
    highest = max((high for *_, high in values), default=0) or 1
    body = []
    for row, (label, share, low, high) in enumerate(values):
        y, scale = row * 25 + 4, 150 / highest
        body.append(_text(140, y + 13, _short(label), "end", 12))
        body.append(f'<rect x="146" y="{y}" width="{scale * share:.1f}" height="17" rx="2" fill="{_COLOURS[0]}"/>')
        body.append(_rule(146 + scale * low, 146 + scale * high, y + 8.5))
        body.append(_text(151 + scale * high, y + 13, f"{100 * share:.0f} %", size=12))
    description = (
        f"{label} {100 * share:.0f} % ({100 * low:.0f} to {100 * high:.0f})" for label, share, low, high in values
    )
    return _svg(len(values) * 25 + 8, title, ", ".join(description), body)


def line(title: str, points: Sequence[Share]) -> str:
    """Shares (label, share, low, high) over time: a line through the shares, a band for the intervals; empty below two."""
    if len(points) < 2:
        return ""
    highest = max(high for *_, high in points) or 1

    def x(place: int) -> float:
        return 40 + 305 * place / (len(points) - 1)

    def y(share: float) -> float:
        return 150 - 135 * share / highest

    upper = [f"{x(at):.1f},{y(high):.1f}" for at, (*_, high) in enumerate(points)]
    lower = [f"{x(at):.1f},{y(low):.1f}" for at, (_, _, low, _) in enumerate(points)]
    middle = [f"{x(at):.1f},{y(share):.1f}" for at, (_, share, _, _) in enumerate(points)]
    body = [
        f'<polygon points="{" ".join(upper + lower[::-1])}" fill="{_COLOURS[0]}" fill-opacity="0.2"/>',
        f'<polyline points="{" ".join(middle)}" fill="none" stroke="{_COLOURS[0]}" stroke-width="2.5"/>',
        *(f'<circle cx="{at.split(",")[0]}" cy="{at.split(",")[1]}" r="3.5" fill="{_COLOURS[0]}"/>' for at in middle),
        _rule(40, 345, 150),
        _text(35, 154, "0", "end", 12),
        _text(35, 20, f"{100 * highest:.0f} %", "end", 12),
        _text(40, 168, points[0][0], size=12),
        _text(345, 168, points[-1][0], "end", 12),
    ]
    return _svg(174, title, ", ".join(f"{label} {100 * share:.0f} %" for label, share, *_ in points), body)


def columns(title: str, values: Sequence[tuple[str, float]]) -> str:
    """A distribution as vertical bars, one per (label, value), with as many labels below as there is room for."""
    if not values:
        return ""
    highest, width = max(value for _, value in values) or 1, 340 / len(values)
    label_every = -(-len(values) * 34 // 340)
    body = [_rule(10, 350, 120)]
    for at, (label, value) in enumerate(values):
        height = 98 * value / highest
        body.append(
            f'<rect x="{11 + at * width:.1f}" y="{120 - height:.1f}" width="{width - 2:.1f}" height="{height:.1f}" '
            f'fill="{_COLOURS[0]}"/>'
        )
        middle = 10 + (at + 0.5) * width
        if at % label_every == 0:
            body.append(_text(middle, 135, label, "middle", 12))
        if len(values) <= 10:
            body.append(_text(middle, 115 - height, f"{value:g}", "middle", 12))
    return _svg(142, title, ", ".join(f"{label}: {value:g}" for label, value in values), body)


def histograms(title: str, series: Sequence[tuple[str, Sequence[float]]], bins: int = 20) -> str:
    """One small histogram per (label, values) series, on a common axis so that shapes can be compared."""
    pooled = [value for _, values in series for value in values]
    if not pooled:
        return ""
    low, high = min(pooled), max(pooled)
    step = (high - low) / bins or 1.0
    body = []
    for row, (label, values) in enumerate(series):
        top = row * 60
        counts = [0] * bins
        for value in values:
            counts[min(int((value - low) / step), bins - 1)] += 1
        highest = max(counts) or 1
        body.append(_text(10, top + 14, f"{label} ({len(values)})", size=12))
        for index, count in enumerate(counts):
            height = 32 * count / highest
            body.append(
                f'<rect x="{10 + index * 340 / bins:.1f}" y="{top + 52 - height:.1f}" width="{340 / bins - 1:.1f}" '
                f'height="{height:.1f}" fill="{_COLOURS[row % len(_COLOURS)]}"/>'
            )
        body.append(_rule(10, 350, top + 52))
    bottom = len(series) * 60 + 8
    body += [_text(10, bottom, f"{low:.2f}", size=12), _text(350, bottom, f"{high:.2f}", "end", 12)]
    description = (f"{label}: {len(values)} values, {min(values):.2f} to {max(values):.2f}" for label, values in series)
    return _svg(bottom + 6, title, "; ".join(description), body)


def scatter(
    title: str, points: Sequence[tuple[float, float, float]], x_name: str, y_name: str, colour_name: str
) -> str:
    """Points (x, y, colour value); the colour runs from blue (low) to orange (high)."""
    if not points:
        return ""
    (x_low, x_high), (y_low, y_high), (c_low, c_high) = ((min(axis), max(axis)) for axis in zip(*points, strict=True))

    def place(value: float, low: float, high: float, start: float, length: float) -> float:
        return start + length * ((value - low) / (high - low) if high > low else 0.5)

    body = ['<rect x="10" y="22" width="340" height="230" fill="none" stroke="currentColor" stroke-width="0.5"/>']
    for x, y, c in points:
        hue = 215 - 185 * place(c, c_low, c_high, 0, 1)
        body.append(
            f'<circle cx="{place(x, x_low, x_high, 18, 324):.1f}" cy="{place(y, y_low, y_high, 244, -214):.1f}" r="4" '
            f'fill="hsl({hue:.0f} 70% 45%)" fill-opacity="0.75"/>'
        )
    body += [
        _text(10, 14, f"{y_name} {y_low:.2f} (bottom) to {y_high:.2f} (top)", size=12),
        _text(10, 268, f"{x_name} {x_low:.2f} (left) to {x_high:.2f} (right)", size=12),
        _text(10, 285, f"{colour_name} {c_low:.2f} (blue) to {c_high:.2f} (orange)", size=12),
    ]
    description = f"{len(points)} texts; {x_name} {x_low:.2f} to {x_high:.2f}, {y_name} {y_low:.2f} to {y_high:.2f}"
    return _svg(292, title, description, body)


def reliability(title: str, series: Sequence[tuple[str, Sequence[tuple[float, float, int]]]]) -> str:
    """Reliability diagram: (confidence, accuracy, rows) points per series. On the diagonal, accuracy equals confidence;
    a point's area is its share of the rows.
    """
    body = [
        '<rect x="60" y="10" width="280" height="280" fill="none" stroke="currentColor" stroke-width="0.5"/>',
        '<line x1="60" y1="290" x2="340" y2="10" stroke="currentColor" stroke-width="0.5" stroke-dasharray="4 4"/>',
    ]
    for row, (label, points) in enumerate(series):
        colour = _COLOURS[(0, 2, 1)[row % 3]]
        total = sum(n for _, _, n in points) or 1
        places = [(60 + 280 * x, 290 - 280 * y, 2 + 14 * (n / total) ** 0.5) for x, y, n in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in places)
        body.append(f'<polyline points="{path}" fill="none" stroke="{colour}"/>')
        body += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}" fill="{colour}" fill-opacity="0.6"/>' for x, y, r in places
        ]
        body.append(f'<rect x="370" y="{20 + 24 * row}" width="14" height="14" fill="{colour}"/>')
        body.append(_text(392, 32 + 24 * row, label))
    body += [_text(60, 308, "0"), _text(340, 308, "1", "end"), _text(200, 308, "confidence", "middle")]
    body += [_text(54, 290, "0", "end"), _text(54, 22, "1", "end"), _text(54, 155, "right", "end")]
    description = "; ".join(
        f"{label}: " + ", ".join(f"{x:.2f} sure, {y:.2f} right" for x, y, _ in points) for label, points in series
    )
    return _svg(316, title, description, body, WIDE)


def confusion(title: str, labels: Sequence[str], matrix: Sequence[Sequence[int]]) -> str:
    """Confusion matrix: a row per label, a column per prediction, shaded by share of the row."""
    size = min(90, 420 // max(len(labels), 1))
    body = [_text(130 + size * len(labels) / 2, 14, "the model says", "middle")]
    for column, label in enumerate(labels):
        body.append(_text(130 + size * (column + 0.5), 34, label, "middle"))
    for row, counts in enumerate(matrix):
        body.append(_text(122, 44 + size * (row + 0.5), labels[row], "end"))
        total = sum(counts) or 1
        for column, count in enumerate(counts):
            x, y = 130 + size * column, 40 + size * row
            body.append(
                f'<rect x="{x}" y="{y}" width="{size - 2}" height="{size - 2}" fill="{_COLOURS[0]}" '
                f'fill-opacity="{0.05 + 0.7 * count / total:.2f}"/>'
            )
            body.append(_text(x + size / 2, y + size / 2 + 4, str(count), "middle"))
    description = "; ".join(
        f"{label}: " + ", ".join(f"{count} as {guess}" for count, guess in zip(counts, labels, strict=True))
        for label, counts in zip(labels, matrix, strict=True)
    )
    return _svg(46 + size * len(labels), title, description, body, WIDE)


def curves(title: str, series: Sequence[tuple[str, Sequence[tuple[float, float]]]], x_name: str) -> str:
    """Lines of (x, y) points over a common x axis, each series scaled to its own range."""
    drawn = [(label, points) for label, points in series if len(points) > 1]
    if not drawn:
        return ""
    xs = [x for _, points in drawn for x, _ in points]
    low, high = min(xs), max(xs)
    body = ['<rect x="20" y="10" width="320" height="200" fill="none" stroke="currentColor" stroke-width="0.5"/>']
    for row, (label, points) in enumerate(drawn):
        colour = _COLOURS[row % len(_COLOURS)]
        bottom, top = min(y for _, y in points), max(y for _, y in points)
        path = " ".join(
            f"{30 + 300 * (x - low) / ((high - low) or 1):.1f},{200 - 180 * (y - bottom) / ((top - bottom) or 1):.1f}"
            for x, y in points
        )
        body.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        body.append(f'<rect x="356" y="{20 + 40 * row}" width="14" height="14" fill="{colour}"/>')
        body.append(_text(376, 32 + 40 * row, label))
        body.append(_text(376, 48 + 40 * row, f"{bottom:.3f} to {top:.3f}", size=11))
    body += [_text(30, 226, f"{low:g}"), _text(330, 226, f"{high:g}", "end"), _text(180, 226, x_name, "middle")]
    description = "; ".join(f"{label} from {points[0][1]:.3f} to {points[-1][1]:.3f}" for label, points in drawn)
    return _svg(max(232, 40 * len(drawn) + 30), title, description, body, WIDE)


def shifts(title: str, values: Sequence[tuple[str, float, float, float]]) -> str:
    """Signed values (label, value, low, high): a bar to the left or right of zero, with its interval."""
    highest = max((max(abs(low), abs(high)) for _, _, low, high in values), default=0) or 1
    body = [f'<line x1="330" x2="330" y1="0" y2="{26 * len(values) + 6}" stroke="currentColor" stroke-width="0.5"/>']
    for row, (label, value, low, high) in enumerate(values):
        y, end = row * 26 + 6, 330 + 180 * value / highest
        body.append(_text(110, y + 14, label, "end"))
        body.append(
            f'<rect x="{min(330, end):.1f}" y="{y + 2}" width="{abs(end - 330):.1f}" height="14" fill="{_COLOURS[2]}"/>'
        )
        body.append(
            f'<line x1="{330 + 180 * low / highest:.1f}" x2="{330 + 180 * high / highest:.1f}" y1="{y + 9}" y2="{y + 9}" stroke="currentColor"/>'
        )
        body.append(_text(555, y + 14, f"{value:+.3f}", "end"))
    description = ", ".join(f"{label} {value:+.3f} ({low:+.3f} to {high:+.3f})" for label, value, low, high in values)
    return _svg(26 * len(values) + 12, title, description, body, WIDE)
