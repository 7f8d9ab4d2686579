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
