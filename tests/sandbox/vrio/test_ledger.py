"""The ledger's events, in stories that are short enough to be reckoned by hand and in a whole month."""

from datetime import timedelta
from decimal import Decimal

from sandbox.vrio import expected
from sandbox.vrio.acts import credits, orders, parcels, payments, subscriptions
from sandbox.vrio.acts.orders import Wanted
from sandbox.vrio.catalogue import (
    MEMBER_GIFT,
    MONTHLY_VITAMINS,
    POUCH_ONCE,
    PROTEIN_CLUB,
    SAVE_FIVE,
    SHAKER_ONCE,
    SLEEP_BUNDLE,
    SUPPLEMENTS_CAMPAIGN,
    WEEKLY_GREENS,
)
from sandbox.vrio.people import Person
from sandbox.vrio.words import CancelReason
from tests.sandbox.vrio.short_stories import DAY, HOUR, JOHN, lines, told


def test_two_sales_and_a_refund():
    def plot(life):
        first = orders.place(life, Wanted(SHAKER_ONCE, price=Decimal("100.00")), tracking={1: "search"})
        payments.charge(life, first)
        yield DAY
        second = orders.place(
            life, Wanted(SHAKER_ONCE, 2, price=Decimal("40.00")), discount=SAVE_FIVE, tracking={1: "mail", 20: "x"}
        )
        sale = payments.charge(life, second, shipping=Decimal("4.99"))
        parcel_ids = parcels.pack(life, sale)
        yield DAY
        parcels.ship(life, parcel_ids[0])
        again = parcels.reship(life, parcel_ids[0])
        yield HOUR
        parcels.ship(life, again)
        yield DAY
        credits.refund(life, sale, Decimal("29.99"))
        yield DAY
        credits.refund(life, sale, Decimal("1.00"), declined="No")

    held = expected(told((JOHN, plot)), with_rest=True)

    assert held.keys() == {"john.doe@example.com"}
    assert held["john.doe@example.com"]["profile"] == {
        "first_name": "John",
        "last_name": "Doe",
        "phone_number": "+15551234567",
        "CLV": "150.00",
        "ActiveSubscriber": False,
        "tracking1": "mail",
        "tracking20": "x",
    }
    assert lines(held["john.doe@example.com"]) == [
        (0, 0, "Ordered Product", "1668_7", 100.0),
        (0, 0, "Placed Non-Recurring Order", "1668", 100.0),
        (1, 0, "Ordered Product", "1669_7", 80.0),
        (1, 0, "Placed Non-Recurring Order", "1669", 79.99),
        (2, 0, "Fulfilled Order", "1669", 79.99),
        (2, 1, "Fulfilled Order", "1669_134011", 79.99),
        (3, 1, "Refunded Order", "1670", 29.99),
    ]


def test_a_subscription_from_start_to_end():
    def plot(life):
        order = orders.place(life, Wanted(PROTEIN_CLUB), Wanted(SHAKER_ONCE), Wanted(MEMBER_GIFT, is_gift=True))
        payments.charge(life, order, declined="Expired card")
        yield HOUR
        payments.charge(life, order)
        club = life.subscriptions(order)[0].id
        yield DAY
        subscriptions.pause(life, club, until=life.now + 60 * DAY)
        yield DAY
        subscriptions.unpause(life, club)
        yield DAY
        subscriptions.pause(life, club)
        yield DAY
        subscriptions.unpause(life, club)
        yield 14 * DAY
        payments.charge(life, order, offers=payments.due_offers(life, order))
        yield DAY
        subscriptions.pause(life, club)
        yield DAY
        subscriptions.cancel(life, club, CancelReason.TOO_MUCH)
        yield 2 * DAY
        subscriptions.reactivate(life, club)

    held = expected(told((JOHN, plot)), with_rest=True)["john.doe@example.com"]

    assert lines(held) == [
        (0, 0, "Declined Order", "1668", 57.0),
        (0, 1, "Ordered Product", "1669_11", 0.0),
        (0, 1, "Ordered Product", "1669_4", 45.0),
        (0, 1, "Ordered Product", "1669_7", 12.0),
        (0, 1, "Placed Order", "1669", 57.0),
        (0, 1, "Started Subscription", "1669_4_sub", 45.0),
        (1, 1, "Paused Subscription", "1669_4_sub", 45.0),
        (2, 1, "Unpaused Subscription", "1669_4_sub", 45.0),
        (3, 1, "Paused Subscription", "1669_4_sub_2", 45.0),
        (4, 1, "Unpaused Subscription", "1669_4_sub_2", 45.0),
        (18, 1, "Ordered Product", "1672_4", 45.0),
        (18, 1, "Placed Order", "1672", 45.0),
        (19, 1, "Paused Subscription", "1672_4_sub", 45.0),
        (20, 1, "Cancelled Subscription", "1672_4_sub", 45.0),
        (22, 1, "Reactivated Subscription", "1672_4_sub", 45.0),
    ]
    assert held["profile"]["ActiveSubscriber"] is True
    assert held["profile"]["NextChargeDate"] == "2026-10-07"
    assert held["profile"]["CLV"] == "102.00"


def test_what_is_beyond_the_page_is_told_when_everything_is():
    def plot(life):
        order = orders.place(life, Wanted(PROTEIN_CLUB))
        payments.charge(life, order, declined="Expired card")
        yield HOUR
        payments.charge(life, order)
        club = life.subscriptions(order)[0].id
        yield DAY
        left_out = subscriptions.skip(life, club)
        yield HOUR
        subscriptions.unskip(life, club, left_out)
        yield 13 * DAY - HOUR
        payments.charge(life, order, declined="Do not honor", offers=payments.due_offers(life, order))
        yield DAY
        subscriptions.cancel(life, club, CancelReason.PAYMENT_FAILED)

    world = told((JOHN, plot))
    page, held = (expected(world, False, everything=more)["john.doe@example.com"] for more in (False, True))
    of_the_page = [event["metric"] for event in page["events"]]
    beyond = [line for line in lines(held) if line[2] not in of_the_page]

    assert beyond == [
        (0, 1, "Payment Recovered", "1669", 45.0),
        (1, 1, "Next Charge Date Changed", "1669_4_sub", 45.0),
        (1, 1, "Skipped Subscription", "1670_4_sub_20260902T100000", 45.0),
        (1, 2, "Next Charge Date Changed", "1669_4_sub_2", 45.0),
        (1, 2, "Unskipped Subscription", "1670_4_sub_20260902T110000", 45.0),
        (11, 1, "Upcoming Order", "40541_2026-09-15", 45.0),
        (14, 1, "Upcoming Order", "40541_2026-09-17", 45.0),
        (15, 1, "Cancelled Last Subscription", "1669_4_sub", 45.0),
        (15, 1, "Final Payment Failure", "40541_cycle2_failed", 45.0),
    ]
    assert held["events"][-1]["additional"] == {
        "CampaignId": "1",
        "CampaignName": SUPPLEMENTS_CAMPAIGN.name,
        "OrderCurrency": "USD",
        "OrderTotal": "45.00",
        "OrderTax": "0.00",
        "OrderShipping": "0.00",
        "DeclineClass": "soft",
    }


def test_lines_of_one_offer_are_told_apart():
    def plot(life):
        order = orders.place(life, Wanted(SLEEP_BUNDLE), Wanted(POUCH_ONCE), Wanted(POUCH_ONCE, 2), Wanted(POUCH_ONCE))
        payments.charge(life, order)
        yield DAY
        order = orders.place(life, Wanted(PROTEIN_CLUB), Wanted(PROTEIN_CLUB, 2))
        payments.charge(life, order)
        yield DAY
        subscriptions.cancel(life, life.subscriptions(order)[0].id, CancelReason.TOO_MUCH)

    world = told((JOHN, plot))
    with_rest, without = (expected(world, known)["john.doe@example.com"] for known in (True, False))
    bought = ("Ordered Product", "Started Subscription", "Cancelled Subscription")

    assert [line[3:] for line in lines(with_rest, *bought)] == [
        ("1668_3", 19.99),
        ("1668_3-4", 10.0),
        ("1668_9", 9.5),
        ("1668_9-10", 19.0),
        ("1668_9-10-2", 9.5),
        ("1668_3_sub", 29.99),
        ("1670_4", 45.0),
        ("1670_4-6", 90.0),
        ("1670_4-6_sub", 90.0),
        ("1670_4_sub", 45.0),
        ("1670_4_sub", 45.0),
    ]
    assert [line[3:] for line in lines(without, *bought)] == [
        ("1668_3", 29.99),
        ("1668_9", 9.5),
        ("1668_9-2", 19.0),
        ("1668_9-3", 9.5),
        ("1668_3_sub", 29.99),
        ("1670_4", 45.0),
        ("1670_4-2", 90.0),
        ("1670_4-2_sub", 90.0),
        ("1670_4_sub", 45.0),
        ("1670_4_sub", 45.0),
    ]


def test_carts_that_are_left():
    def leaves(life):
        orders.abandon(life, orders.place(life, Wanted(SHAKER_ONCE, 2), Wanted(WEEKLY_GREENS), has_payment=False))
        yield HOUR

    def returns(life):
        order = orders.place(life, Wanted(SHAKER_ONCE), has_payment=False)
        orders.abandon(life, order)
        yield HOUR
        payments.charge(life, order)

    def has_paid(life):
        order = orders.place(life, Wanted(SHAKER_ONCE))
        payments.charge(life, order)
        yield timedelta(seconds=1)
        orders.abandon(life, order)

    people = [Person("A", "B", f"{name}@example.com") for name in ("leaves", "returns", "has.paid")]
    held = expected(told(*zip(people, (leaves, returns, has_paid), strict=True)), with_rest=False)

    assert lines(held["leaves@example.com"]) == [(0, 0, "Abandoned Order", "1253_abandoned", 36.5)]
    assert lines(held["returns@example.com"])[0] == (0, 0, "Abandoned Order", "1254_abandoned", 12.0)
    assert lines(held["has.paid@example.com"], "Abandoned Order") == []


def test_a_subscription_without_any_payment():
    def plot(life):
        order = orders.place(life, Wanted(MONTHLY_VITAMINS))
        subscriptions.start_later(life, order, life.now + 40 * DAY)
        yield DAY
        subscriptions.cancel(life, life.subscriptions(order)[0].id, CancelReason.NOT_FOR_ME)

    held = expected(told((JOHN, plot)), with_rest=True)["john.doe@example.com"]

    assert lines(held) == [(1, 0, "Cancelled Subscription", "order1253_1_sub", 29.99)]


def test_times_are_of_the_accounts_zone():
    def plot(life):
        payments.charge(life, orders.place(life, Wanted(WEEKLY_GREENS)))
        yield DAY

    held = expected(told((JOHN, plot), zone="America/New_York"), with_rest=True)["john.doe@example.com"]

    assert {event["time"] for event in held["events"]} == {"2026-09-01T13:00:00+00:00"}


def test_a_whole_month_adds_up(month):
    with_rest, without = (expected(month, known) for known in (True, False))

    assert with_rest.keys() == without.keys()
    for held in (with_rest, without):
        events = [(email, event["metric"], event["unique_id"]) for email in held for event in held[email]["events"]]
        assert len(events) == len(set(events))
    for email in with_rest:
        placed, bought = (
            [event for event in held[email]["events"] if event["metric"] == "Placed Order"]
            for held in (with_rest, without)
        )
        assert placed == bought
