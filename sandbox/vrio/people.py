"""The merchant's customers: made-up names at example domains, in five countries."""

from dataclasses import dataclass, replace
from random import Random

from sandbox.vrio.phones import NO_PHONE, phone
from sandbox.vrio.records import Address, Card, Customer, Phone
from sandbox.vrio.words import CardType, Currency
from sandbox.vrio.world import World

GIVEN = (
    "Ada", "Ben", "Clara", "David", "Elena", "Frank", "Grace", "Hugo", "Irene", "Jack", "Karin", "Liam", "Mona",
    "Noah", "Olga", "Paul", "Quinn", "Rosa", "Sam", "Tara", "Umar", "Vera", "Will", "Zoë", "José", "Mary Jane",
)  # fmt: skip
FAMILY = (
    "Adams", "Baker", "Carter", "Dixon", "Ellis", "Fisher", "Grant", "Harper", "Ingram", "Jensen", "Keller", "Lopez",
    "Miller", "Norris", "O'Neil", "Parker", "Quist", "Reed", "Sawyer", "Turner", "Vogel", "Walker", "Young", "Müller",
)  # fmt: skip
BAD_EMAILS = ("not-an-email", "nobody@", "@example.com", "two words@example.com")


@dataclass(frozen=True)
class Place:
    country: str
    currency: Currency
    city: str
    state: str
    zipcode: str


PLACES = (
    *(Place("US", Currency.USD, *where) for where in (("Austin", "TX", "78701"), ("Portland", "OR", "97201"))),
    *(Place("US", Currency.USD, *where) for where in (("Dallas", "TX", "75201"), ("Buffalo", "NY", "14201"))),
    Place("CA", Currency.CAD, "Toronto", "ON", "M5H 2N2"),
    Place("CA", Currency.USD, "Halifax", "NS", "B3J 1A1"),
    Place("GB", Currency.GBP, "Leeds", "", "LS1 1UR"),
    Place("AU", Currency.AUD, "Sydney", "NSW", "2000"),
    Place("DE", Currency.EUR, "Berlin", "", "10115"),
)


@dataclass(frozen=True)
class Person:
    """Somebody before the first contact; the world gives the numbers."""

    first_name: str
    last_name: str
    email: str | None
    phone: Phone = NO_PHONE
    place: Place = PLACES[0]
    ships_elsewhere: bool = False
    ip_address: str = "203.0.113.24"


def person(rng: Random, number: int) -> Person:
    """The customer with this running number."""
    first, last = rng.choice(GIVEN), rng.choice(FAMILY)
    place = rng.choice(PLACES)
    user = "".join(filter(str.isalpha, f"{first}{last}".encode("ascii", "ignore").decode())).lower()
    email = f"{user}{number}@example.{rng.choice(('com', 'org'))}"
    if rng.random() < 0.05:
        email = f" {email.title()} "
    return Person(
        first,
        last,
        email,
        phone(rng, place.country, number),
        place,
        ships_elsewhere=rng.random() < 0.2,
        ip_address=f"{rng.choice(('192.0.2', '198.51.100', '203.0.113'))}.{1 + number % 254}",
    )


def without_email(someone: Person, rng: Random) -> Person:
    """The same person, who cannot be written to."""
    return replace(someone, email=rng.choice((None, "")))


def with_bad_email(someone: Person, rng: Random) -> Person:
    """The same person, with an address that is none."""
    return replace(someone, email=rng.choice(BAD_EMAILS))


def settle(world: World, someone: Person, rng: Random) -> Customer:
    """The person as a customer of the merchant from now on."""
    billing = _address(world, someone, f"{rng.randint(1, 99)} Sample Street")
    shipping = _address(world, someone, f"{rng.randint(1, 99)} Market Road") if someone.ships_elsewhere else billing
    first, type_ = rng.choice((("424242", CardType.VISA), ("555555", CardType.MASTERCARD)))
    card = Card(
        card_id=world.number("card"),
        type=type_,
        number=f"{first}XXXXXX{rng.randint(0, 9999):04}",
        created_at=world.now,
    )
    customer = Customer(
        id=world.number("customer"),
        first_name=someone.first_name,
        last_name=someone.last_name,
        email=someone.email,
        phone=someone.phone,
        ip_address=someone.ip_address,
        currency=someone.place.currency,
        card=card,
        addresses=(billing, shipping),
        created_at=world.now,
        modified_at=world.now,
    )
    return world.keep(customer)


def _address(world: World, someone: Person, street: str) -> Address:
    return Address(
        address_id=world.number("address"),
        first_name=someone.first_name,
        last_name=someone.last_name,
        street=street,
        city=someone.place.city,
        country=someone.place.country,
        state=someone.place.state,
        zipcode=someone.place.zipcode,
        created_at=world.now,
    )
