"""Results as a picture: how far each bar is reached, and how the peers do.

Imports the standard library, `benchmarks.results` and `benchmarks.table`.
"""

from collections.abc import Iterator, Sequence
from html import escape
from math import log10
from typing import Final

from benchmarks.results import Bar, Result, Side, Verdict
from benchmarks.table import figure

_WIDTH: Final = 860
_LEFT: Final = 330
"""Where bars may begin; left of it are their names."""
_RIGHT: Final = 690
"""Where bars end; right of it are their figures."""
_ROW: Final = 22
_DECADES: Final = 1.0
"""How far the picture goes to both sides of a bar: ten times worse, ten times better."""
_ALT: Final = "Benchmarks"
_STYLE: Final = """
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-weight: 600; }
  .note { fill: #59636e; }
  .back { fill: #ffffff; }
  .axis { stroke: #818b98; stroke-width: 1; }
  .met, .ours { fill: #1a7f37; }
  .short { fill: #bc4c00; }
  .limit { fill: #818b98; }
  .peer { fill: #54aeff; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .note { fill: #9198a1; }
    .back { fill: #0d1117; }
    .axis { stroke: #656c76; }
    .met, .ours { fill: #3fb950; }
    .short { fill: #f0883e; }
    .limit { fill: #656c76; }
    .peer { fill: #388bfd; }
  }
"""


def svg(results: Sequence[Result]) -> str:
    """The picture as a document."""
    drawing = _Drawing()
    judged = [
        (result, bar)
        for result in results
        for bar in result.bars
        if result.verdict(bar) is not Verdict.UNKNOWN
    ]
    if judged:
        drawing.heading("How far each bar is reached", "left of the line: not; logarithmic")
        for result, bar in judged:
            _reach(drawing, result, bar)
        drawing.line_at((_LEFT + _RIGHT) / 2, len(judged))
    for result in results:
        if result.peers and result.bars:
            _beside_peers(drawing, result)
    return drawing.document()


class _Drawing:
    """Shapes from top to bottom."""

    def __init__(self) -> None:
        self._shapes: list[str] = []
        self._y = 8

    def heading(self, title: str, note: str) -> None:
        """A title above what follows."""
        self._y += 24
        shape = f'<text class="title" x="12" y="{self._y}">{escape(title)} '
        self._shapes.append(f'{shape}<tspan class="note">{escape(note)}</tspan></text>')
        self._y += 10

    def bar(self, name: str, kind: str, span: tuple[float, float], told: str) -> None:
        """A line with a bar from one x to another."""
        middle = self._y + _ROW - 7
        left, right = min(span), max(span)
        size = f'width="{max(right - left, 1):.1f}" height="{_ROW - 8}"'
        self._shapes += [
            f'<text x="{_LEFT - 10}" y="{middle}" text-anchor="end">{escape(name)}</text>',
            f'<rect class="{kind}" x="{left:.1f}" y="{self._y + 4}" {size}/>',
            f'<text x="{_RIGHT + 10}" y="{middle}">{escape(told)}</text>',
        ]
        self._y += _ROW

    def line_at(self, x: float, bars: int) -> None:
        """A line through the last so many bars."""
        top = self._y - bars * _ROW
        self._shapes.append(
            f'<line class="axis" x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{self._y}"/>'
        )

    def document(self) -> str:
        """All of it."""
        height = self._y + 12
        size = f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
        begin = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{_ALT}">'
        back = f'<rect class="back" width="{_WIDTH}" height="{height}"/>'
        return "\n".join([begin, f"<style>{_STYLE}</style>", back, *self._shapes, "</svg>\n"])


def _reach(drawing: _Drawing, result: Result, bar: Bar) -> None:
    reach = result.reach(bar)
    middle, half = (_LEFT + _RIGHT) / 2, (_RIGHT - _LEFT) / 2
    decades = max(-_DECADES, min(_DECADES, log10(reach) if reach > 0 else -_DECADES))
    met = result.verdict(bar) is Verdict.MET
    side = None if bar.against is None else result.side(bar.against)
    against = "" if side is None else f" / {side.name}"
    drawing.bar(
        f"{result.name}{against}",
        "met" if met else "short",
        (middle, middle + half * decades / _DECADES),
        f"{figure(reach)} of the bar{'' if met else ': short'}",
    )


def _beside_peers(drawing: _Drawing, result: Result) -> None:
    better = "less" if result.lower_is_better else "more"
    drawing.heading(f"{result.name}, {result.unit}", f"{better} is better")
    sides = list(_ordered(result))
    most = max(side.median for _, side in sides)
    for kind, side in sides:
        length = (_RIGHT - _LEFT) * side.median / most
        drawing.bar(side.name, kind, (_LEFT, _LEFT + length), figure(side.median))
    drawing.line_at(_LEFT, len(sides))


def _ordered(result: Result) -> Iterator[tuple[str, Side]]:
    """The limit, ours, then the peers with the best first."""
    if result.limit is not None:
        yield "limit", result.limit
    yield "ours", result.ours
    order = sorted(result.peers, key=lambda peer: peer.median, reverse=not result.lower_is_better)
    yield from (("peer", peer) for peer in order)
