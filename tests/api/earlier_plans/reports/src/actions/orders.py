"""The actions that the manifest exports. Only the import of `action_info` is not what it was."""

from plans.reports.src.services.ledger import orders_of

from aura_aio import ActionContext, action_info


@action_info(name="read_orders", public=True, read_only=True, timeout=30)
def read_orders(day: str, context: ActionContext) -> list:
    """Read the orders of a day."""
    orders = [
        {"item": item, "count": count, "cents": cents} for item, count, cents in orders_of(day)
    ]
    context.log(f"{len(orders)} orders on {day}")
    return orders


@action_info(name="total", public=True)
def total(orders: list) -> int:
    """What the orders are worth, in cents."""
    return sum(order["count"] * order["cents"] for order in orders)
