"""Writes SVG pictures: elements, escaped text, and the look that all charts share.

Imports the standard library only.
"""

import unicodedata
from html import escape
from typing import Final

#: Two looks, of which the reader's system chooses one. Plain colours, without CSS variables, which
#: few programs but browsers know.
_STYLE: Final = """
    text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: #616e7c; }
    .title { font-size: 15px; font-weight: 600; fill: #1f2933; }
    .label { fill: #1f2933; }
    .paper { fill: #ffffff; }
    .rule { stroke: #e4e7eb; stroke-width: 1; }
    .bar { fill: #2f6fde; }
    .good { fill: #2f9e6e; }
    .gap { fill: #cbd2d9; }
    .bad { fill: #d64545; }
    @media (prefers-color-scheme: dark) {
      text { fill: #9aa5b1; }
      .title, .label { fill: #e4e7eb; }
      .paper { fill: #14181d; }
      .rule { stroke: #323f4b; }
      .bar { fill: #6ea0ff; }
      .good { fill: #57c596; }
      .gap { fill: #52606d; }
      .bad { fill: #f08080; }
    }
"""

#: The average width of a letter at 12 pixels, in pixels.
LETTER_WIDTH: Final = 6.6


class Picture:
    """One SVG picture of a size in pixels, drawn from the back to the front."""

    def __init__(self, width: int, height: int, title: str, description: str) -> None:
        self.width = width
        self.height = height
        self._title = title
        self._description = description
        self._elements: list[str] = []

    def rectangle(
        self, x: float, y: float, width: float, height: float, look: str, tip: str = ""
    ) -> None:
        """A filled rectangle with slightly rounded corners; `tip` shows under the pointer."""
        box = _attributes(x=x, y=y, width=max(0.0, width), height=max(0.0, height), rx=2)
        inner = f"<title>{_text(tip)}</title>" if tip else ""
        self._elements.append(f'<rect class="{look}"{box}>{inner}</rect>')

    def line(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """A thin line, as of a grid."""
        ends = _attributes(x1=x1, y1=y1, x2=x2, y2=y2)
        self._elements.append(f'<line class="rule"{ends}/>')

    def text(self, x: float, y: float, text: str, look: str = "", anchor: str = "start") -> None:
        """A line of text whose `start`, `middle` or `end` is at `x`, and whose foot is at `y`."""
        look = f' class="{look}"' if look else ""
        place = _attributes(x=x, y=y)
        self._elements.append(f'<text{look}{place} text-anchor="{anchor}">{_text(text)}</text>')

    def render(self) -> str:
        """The whole document."""
        size = f'width="{self.width}" height="{self.height}"'
        body = "\n  ".join(self._elements)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} '
            f'viewBox="0 0 {self.width} {self.height}" role="img">\n'
            f"  <title>{_text(self._title)}</title>\n"
            f"  <desc>{_text(self._description)}</desc>\n"
            f"  <style>{_STYLE}  </style>\n"
            f'  <rect class="paper" width="{self.width}" height="{self.height}" rx="8"/>\n'
            f"  {body}\n</svg>\n"
        )


def fit(text: str, width: float) -> str:
    """`text` on one line, cut with an ellipsis to `width` pixels. Chinese takes twice the room."""
    text = " ".join(text.split())
    room = width / LETTER_WIDTH
    for index, letter in enumerate(text):
        room -= 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if room < (0 if index == len(text) - 1 else 1):
            return text[:index].rstrip() + "…"
    return text


def _attributes(**values: float) -> str:
    return "".join(f' {name}="{value:.6g}"' for name, value in values.items())


def _text(text: str) -> str:
    """`text` escaped, without the characters that no XML document may hold."""
    return escape("".join(letter for letter in text if _is_allowed(letter)))


def _is_allowed(letter: str) -> bool:
    code = ord(letter)
    if code < 0x20:
        return letter in "\t\n\r"
    return not (0x7F <= code < 0xA0 or 0xD800 <= code <= 0xDFFF or code & 0xFFFE == 0xFFFE)
