"""Charts as inline SVG text: bars, histogram, scatter. No script, no font, no file: they live inside one HTML page.

Hand-made because the page must stand alone, print, and follow the reader's dark mode (currentColor), which images of
a plotting library do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH = 560
_COLOURS = ("#2563a8", "#2f9e77", "#d9822b", "#c0392b", "#7d5ba6", "#5c6b73")


def _svg(height: int, title: str, body: Sequence[str]) -> str:
    name = escape(title, quote=True)
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{name}" xmlns="http://www.w3.org/2000/svg">'
        f"<title>{name}</title>{''.join(body)}</svg>"
    )


def _text(x: float, y: float, text: str, anchor: str = "start", size: int = 13) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="currentColor">{escape(text)}</text>'


def bars(title: str, values: Sequence[tuple[str, float]], unit: str = "") -> str:
    """Horizontal bars, one per (label, value), each with its number written at its end."""
    most = max((value for _, value in values), default=0) or 1
    body = []
    for row, (label, value) in enumerate(values):
        y, length = row * 26 + 6, 300 * value / most
        body.append(_text(170, y + 14, label, "end"))
        body.append(f'<rect x="178" y="{y}" width="{length:.1f}" height="18" rx="2" fill="{_COLOURS[0]}"/>')
        body.append(_text(184 + length, y + 14, f"{value:g}{unit}"))
    return _svg(len(values) * 26 + 12, title, body)


def histograms(title: str, series: Sequence[tuple[str, Sequence[float]]], bins: int = 20) -> str:
    """One small histogram per series, on a common axis, so that their shapes can be compared."""
    everything = [value for _, values in series for value in values]
    if not everything:
        return ""
    low, high = min(everything), max(everything)
    step = (high - low) / bins or 1.0
    body = []
    for row, (label, values) in enumerate(series):
        top = row * 62
        counts = [0] * bins
        for value in values:
            counts[min(int((value - low) / step), bins - 1)] += 1
        most = max(counts) or 1
        body.append(_text(170, top + 34, label, "end"))
        for index, count in enumerate(counts):
            height = 44 * count / most
            body.append(
                f'<rect x="{178 + index * 18}" y="{top + 50 - height:.1f}" width="16" height="{height:.1f}" '
                f'fill="{_COLOURS[row % len(_COLOURS)]}"/>'
            )
        body.append(
            f'<line x1="178" x2="538" y1="{top + 50}" y2="{top + 50}" stroke="currentColor" stroke-width="0.5"/>'
        )
    bottom = len(series) * 62 + 6
    body += [_text(178, bottom + 8, f"{low:.2f}"), _text(538, bottom + 8, f"{high:.2f}", "end")]
    return _svg(bottom + 16, title, body)


def scatter(
    title: str, points: Sequence[tuple[float, float, float]], x_name: str, y_name: str, colour_name: str
) -> str:
    """(x, y, colour value) points; the third value goes from blue (low) to orange (high)."""
    if not points:
        return ""
    (x_low, x_high), (y_low, y_high), (c_low, c_high) = ((min(axis), max(axis)) for axis in zip(*points, strict=True))

    def place(value: float, low: float, high: float, start: float, length: float) -> float:
        return start + length * ((value - low) / (high - low) if high > low else 0.5)

    body = ['<rect x="60" y="10" width="480" height="280" fill="none" stroke="currentColor" stroke-width="0.5"/>']
    for x, y, c in points:
        share = place(c, c_low, c_high, 0, 1)
        hue = 215 - 185 * share
        body.append(
            f'<circle cx="{place(x, x_low, x_high, 70, 460):.1f}" cy="{place(y, y_low, y_high, 280, -260):.1f}" r="4" '
            f'fill="hsl({hue:.0f} 70% 45%)" fill-opacity="0.75"/>'
        )
    body += [
        _text(60, 308, f"{x_low:.2f}"), _text(540, 308, f"{x_high:.2f}", "end"), _text(300, 308, x_name, "middle"),
        _text(54, 290, f"{y_low:.2f}", "end"), _text(54, 22, f"{y_high:.2f}", "end"), _text(54, 155, y_name, "end"),
        _text(300, 328, f"{colour_name}: blue {c_low:.2f}, orange {c_high:.2f}", "middle", 12),
    ]  # fmt: skip
    return _svg(336, title, body)


def reliability(title: str, series: Sequence[tuple[str, Sequence[tuple[float, float, int]]]]) -> str:
    """Reliability diagram: (confidence, accuracy, rows) points per series; on the diagonal a model is as often right
    as it says. The area of a point is its share of the rows.
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
    body += [_text(60, 308, "0"), _text(340, 308, "1", "end"), _text(200, 308, "confidence", "middle"),
             _text(54, 290, "0", "end"), _text(54, 22, "1", "end"), _text(54, 155, "right", "end")]  # fmt: skip
    return _svg(316, title, body)


def confusion(title: str, labels: Sequence[str], matrix: Sequence[Sequence[int]]) -> str:
    """Rows: what the row is labelled; columns: what the model says. Shade: share of the row."""
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
    return _svg(46 + size * len(labels), title, body)


def curves(title: str, series: Sequence[tuple[str, Sequence[tuple[float, float]]]], x_name: str) -> str:
    """Lines over a common x axis, each series on its own scale from its lowest to its highest value."""
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
    return _svg(max(232, 40 * len(drawn) + 30), title, body)


def shifts(title: str, values: Sequence[tuple[str, float, float, float]]) -> str:
    """(label, value, low, high) around zero: a bar to the left or right with its interval."""
    most = max((max(abs(low), abs(high)) for _, _, low, high in values), default=0) or 1
    body = [f'<line x1="330" x2="330" y1="0" y2="{26 * len(values) + 6}" stroke="currentColor" stroke-width="0.5"/>']
    for row, (label, value, low, high) in enumerate(values):
        y, end = row * 26 + 6, 330 + 180 * value / most
        body.append(_text(110, y + 14, label, "end"))
        body.append(
            f'<rect x="{min(330, end):.1f}" y="{y + 2}" width="{abs(end - 330):.1f}" height="14" fill="{_COLOURS[2]}"/>'
        )
        body.append(
            f'<line x1="{330 + 180 * low / most:.1f}" x2="{330 + 180 * high / most:.1f}" y1="{y + 9}" y2="{y + 9}" stroke="currentColor"/>'
        )
        body.append(_text(555, y + 14, f"{value:+.3f}", "end"))
    return _svg(26 * len(values) + 12, title, body)
