"""Made-up orders of a small web shop, as clean data. Imports the standard library only."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Final, NamedTuple

HEADER: Final = (
    "order_id", "ordered_at", "customer", "city", "product", "quantity",
    "unit_price", "discount", "shipped_on", "postcode", "rating", "note",
)  # fmt: skip

_FIRST_NAMES: Final = (
    *("Anna", "Björn", "Chloé", "David", "Elif", "Fatima", "George", "Hélène", "Ines", "Jürgen"),
    *("Karin", "Liam", "María", "Noah", "Olga", "Paul", "Rosa", "Søren", "Tom", "Zoë"),
)
_LAST_NAMES: Final = (
    *("Andersen", "Brown", "Çelik", "Dubois", "Evans", "Fischer", "García", "Hoffmann", "Ito"),
    *("Jensen", "Kowalski", "Lopez", "Müller", "Novak", "O'Neill", "Peeters", "Rossi", "Smith"),
)
_CITIES: Final = (
    *("Berlin", "Paris", "Madrid", "København", "London", "Roma", "Zürich", "Wien", "Malmö"),
    *("São Paulo", "Brussels", "Dublin"),
)
_PRODUCTS: Final = (
    ("Espresso cup", 7.90), ("Kettle", 34.50), ("Desk lamp", 49.00), ("Notebook, A5", 4.20),
    ("Fountain pen", 62.00), ('Monitor 27"', 289.00), ("Office chair", 1249.00),
    ("USB-C cable", 9.99), ("Headphones", 159.00), ("Standing desk", 2390.00),
)  # fmt: skip
_PRODUCT_WEIGHTS: Final = (24, 12, 10, 30, 5, 7, 2, 28, 9, 1)
_NOTES: Final = (
    *("", "", "", "", "gift wrap", "call before delivery", "leave at the door"),
    *('says "as soon as possible"', "2nd floor; ring twice", "invoice to work, please"),
)
_START: Final = datetime(2025, 1, 1)  # noqa: DTZ001 - a shop's export has local times
_DAYS: Final = 365


class Order(NamedTuple):
    """One order. What is None is missing."""

    order_id: int
    ordered_at: datetime
    customer: str
    city: str
    product: str
    quantity: int
    unit_price: float
    discount: float
    shipped_on: datetime | None
    postcode: str
    rating: int | None
    note: str


def orders(count: int, random: Random) -> Iterator[Order]:
    """`count` orders over a year, in the order of time, more of them each month."""
    for number in range(count):
        moment = _START + timedelta(days=_DAYS * (number / count) ** 0.8)
        product, price = random.choices(_PRODUCTS, _PRODUCT_WEIGHTS)[0]
        shipped = moment + timedelta(days=random.choice((0, 1, 1, 2, 2, 3, 5)))
        yield Order(
            order_id=100_000 + number,
            ordered_at=moment.replace(microsecond=0),
            customer=f"{random.choice(_FIRST_NAMES)} {random.choice(_LAST_NAMES)}",
            city=random.choices(_CITIES, range(len(_CITIES), 0, -1))[0],
            product=product,
            quantity=min(40, 1 + int(random.expovariate(0.8))),
            unit_price=round(price * random.gauss(1, 0.04), 2),
            discount=random.choice((0, 0, 0, 0.05, 0.1, 0.15)),
            shipped_on=None if random.random() < 0.04 else shipped,
            postcode=f"{random.randrange(1_000, 99_999):05}",
            rating=None
            if random.random() < 0.4
            else random.choices(range(1, 6), (3, 4, 9, 30, 54))[0],
            note=random.choice(_NOTES),
        )
