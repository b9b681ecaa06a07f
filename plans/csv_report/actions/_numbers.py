"""How numbers are written for people. Imports the standard library only."""

from math import floor, log10


def written(number: float) -> str:
    """`number` with thousands grouped and as many decimals as matter: 1,234.5, 0.00123, 1.2e+30."""
    if number == 0:
        return "0"
    power = floor(log10(abs(number)))
    if not -6 <= power <= 15:
        return f"{number:.4g}"
    decimals = max(0, 2 if power >= 2 else 4 if power >= -1 else 3 - power)
    text = f"{number:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def short(number: float) -> str:
    """`number` for the ticks of an axis: 950, 12,500, 3M."""
    for unit, suffix in ((1e9, "G"), (1e6, "M")):
        if unit <= abs(number) < 1e13:
            return f"{number / unit:.4g}{suffix}"
    return f"{number:,.6g}"


def share(part: int, whole: int) -> str:
    """`part` of `whole` in percent; what is not all, or not nothing, never looks like it."""
    if not whole or not part:
        return "0 %"
    percent = 100 * part / whole
    if part != whole and percent > 99.9:
        return "> 99.9 %"
    return "< 0.1 %" if percent < 0.1 else f"{percent:.1f}".removesuffix(".0") + " %"
