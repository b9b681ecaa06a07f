"""Without a decorator: the manifest exports it."""


def format_money(cents: int) -> str:
    """Cents as people write them."""
    return f"{cents // 100}.{cents % 100:02d}"
