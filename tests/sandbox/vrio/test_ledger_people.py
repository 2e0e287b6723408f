"""Whom the ledger holds, under which address, and what it says that they have paid."""

from decimal import Decimal
from random import Random

from sandbox.vrio import Scene, World, expected, unfold
from sandbox.vrio.acts import credits, orders, payments, profiles, subscriptions
from sandbox.vrio.acts.orders import Wanted
from sandbox.vrio.catalogue import PROTEIN_CLUB, SHAKER_ONCE, WEEKLY_GREENS
from sandbox.vrio.people import Person
from sandbox.vrio.words import Currency, TransactionType
from tests.sandbox.vrio.short_stories import DAY, HOUR, JANE, JOHN, START, lines, told


def test_the_published_lifetime_value():
    def plot(life):
        for price in ("100.00", "79.99"):
            sale = payments.charge(life, orders.place(life, Wanted(SHAKER_ONCE, price=Decimal(price))))
            yield DAY
        credits.refund(life, sale, Decimal("29.99"))

    assert expected(told((JOHN, plot)), with_rest=False)["john.doe@example.com"]["profile"]["CLV"] == "150.00"


def test_what_counts_towards_the_lifetime_value():
    def plot(life):
        def sale(type_=TransactionType.SALE, **more):
            order = orders.place(life, Wanted(SHAKER_ONCE, price=Decimal("10.00")), **more)
            return payments.charge(life, order, type_)

        yield HOUR
        sale(TransactionType.COD)  # 10
        yield HOUR
        credits.void(life, sale())  # 10
        yield HOUR
        credits.void(life, sale(TransactionType.AUTH))  # 10
        yield HOUR
        payments.capture(life, sale(TransactionType.AUTH))  # 20
        yield HOUR
        alerted = sale()  # 30
        credits.dispute(life, alerted, TransactionType.ALERT)
        yield HOUR
        chargeback = credits.dispute(life, alerted, TransactionType.CHARGEBACK)  # 20
        credits.reverse(life, chargeback)
        credits.return_check(life, alerted)
        yield HOUR
        sale(is_test=True)

    held = expected(told((JOHN, plot), (JANE, plot)), with_rest=True)

    assert held["john.doe@example.com"]["profile"]["CLV"] == "20.00"
    # Other currencies are not added to dollars.
    assert held["jane@example.org"]["profile"]["CLV"] == "0.00"
    assert {event["value_currency"] for event in held["jane@example.org"]["events"]} == {Currency.GBP.label}
    metrics = [event["metric"] for event in held["john.doe@example.com"]["events"]]
    assert sorted(set(metrics)) == [
        "Order Alert",
        "Order Auth",
        "Order Chargeback",
        "Ordered Product",
        "Placed Non-Recurring Order",
        "Voided Order",
    ]
    assert metrics.count("Voided Order") == metrics.count("Order Auth") == 2


def test_what_nobody_is_told_of():
    def buys(life):
        order = orders.place(life, Wanted(WEEKLY_GREENS))
        payments.charge(life, order)
        subscriptions.skip(life, life.subscriptions(order)[0].id)
        yield DAY

    def tests(life):
        payments.charge(life, orders.place(life, Wanted(WEEKLY_GREENS), is_test=True))
        yield DAY

    nobody = [Person("A", "B", email) for email in (None, "", "nobody@", "a b@example.com", "x@y", "a@b@example.com")]
    world = told((JOHN, tests), *((someone, buys) for someone in nobody))

    assert expected(world, with_rest=True) == {}


def test_a_changed_address_keeps_what_was_told_under_it():
    def plot(life):
        order = orders.place(life, Wanted(WEEKLY_GREENS))
        payments.charge(life, order)
        yield DAY
        profiles.change_email(life, order, "new@example.com")
        yield 6 * DAY
        payments.charge(life, order, offers=payments.due_offers(life, order))

    held = expected(told((JOHN, plot)), with_rest=True)

    assert [line[3] for line in lines(held["john.doe@example.com"], "Placed Order")] == ["1668"]
    assert [line[3] for line in lines(held["new@example.com"], "Placed Order")] == ["1669"]
    assert [held[email]["profile"]["CLV"] for email in held] == ["12.50", "25.00"]


def test_without_rest_nothing_is_known_from_before_the_month():
    def plot(life):
        order = orders.place(life, Wanted(PROTEIN_CLUB))
        payments.charge(life, order)
        yield 14 * DAY
        payments.charge(life, order, offers=payments.due_offers(life, order))

    world = World(START, START + 30 * DAY)
    unfold(world, [Scene(START - DAY, JOHN, plot, Random(1))])
    with_rest, without = (expected(world, known)["john.doe@example.com"] for known in (True, False))

    assert (with_rest["profile"]["CLV"], without["profile"]["CLV"]) == ("90.00", "45.00")
    assert with_rest["events"] == without["events"]
    assert lines(without) == [(13, 0, "Ordered Product", "1669_4", 45.0), (13, 0, "Placed Order", "1669", 45.0)]
