"""Klaviyo accounts: told once, shared by their connections, and the younger of two goes to the older."""

from tests.building import House
from vrio_klaviyo.store import accounts
from vrio_klaviyo.store.connections import Connection


def named(house: House, connection: Connection, klaviyo_id: str) -> bool:
    with house.db.write() as session:
        return accounts.name_provisional(session, connection.account_id, klaviyo_id)


def test_a_cap_holds_for_every_connection_of_the_account(house: House, connection: Connection) -> None:
    beside, other = house.connect("Beside", beside=connection), house.connect("Other")
    with house.db.write() as session:
        accounts.cap_rate(session, connection, 600)

    with house.db.read() as session:
        caps = [accounts.account_of(session, one).rate_per_minute for one in (connection, beside, other)]
        together = accounts.connections_of_account(session, connection.account_id)
    assert caps == [600, 600, None]
    assert {one.id for one in together} == {connection.id, beside.id}


def test_which_account_it_is_stays_as_it_was_told_first(house: House, connection: Connection) -> None:
    assert not named(house, connection, "SbxA01")
    assert not named(house, connection, "SbxB02")

    with house.db.read() as session:
        assert accounts.account_of(session, connection).klaviyo_id == "SbxA01"


def test_of_two_that_are_the_same_the_younger_goes_to_the_older(house: House, connection: Connection) -> None:
    second = house.connect("Second")

    assert not named(house, connection, "SbxA01")
    assert named(house, second, "SbxA01")
    with house.db.write() as session:
        assert accounts.merge_account(session, connection.account_id) is None
        assert accounts.merge_account(session, second.account_id) == connection.account_id
        assert accounts.merge_account(session, second.account_id) is None

    assert house.connection(second).account_id == connection.account_id
    with house.db.read() as session:
        assert [one.id for one in accounts.list_accounts(session)] == [connection.account_id]


def test_what_was_told_of_the_younger_goes_along(house: House, connection: Connection) -> None:
    second = house.connect("Second")
    named(house, connection, "SbxA01")
    told = {"name": "Acme", "time_zone": "US/Eastern", "currency": "USD", "is_test": True}
    with house.db.write() as session:
        accounts.describe_account(session, second.account_id, klaviyo_id="SbxA01", **told)  # type: ignore[arg-type]
    with house.db.write() as session:
        accounts.merge_account(session, second.account_id)
        # A key that may not read its account is told no more than which one it is.
        nothing = {"name": "", "time_zone": "", "currency": "", "is_test": None}
        accounts.describe_account(session, connection.account_id, klaviyo_id=None, **nothing)  # type: ignore[arg-type]

    with house.db.read() as session:
        account = accounts.account_of(session, connection)
    assert {name: getattr(account, name) for name in ("klaviyo_id", *told)} == {"klaviyo_id": "SbxA01"} | told


def test_an_account_that_nobody_named_is_merged_with_none(house: House, connection: Connection) -> None:
    second = house.connect("Second")
    named(house, connection, "SbxA01")
    with house.db.write() as session:
        assert accounts.merge_account(session, second.account_id) is None
