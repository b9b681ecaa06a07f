"""The orders of the shop; a service of the plan, which its actions import by its whole name."""

ORDERS = {
    "monday": [("tea", 2, 350), ("cake", 1, 420)],
    "tuesday": [("tea", 1, 350)],
    "sunday": [],
}


def orders_of(day):
    """The orders of a day as (item, count, price in cents)."""
    return ORDERS[day]
