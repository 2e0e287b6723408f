"""Campaigns that webhooks named: each once, with its name, and those of this workspace only."""

from tests.bodies import declined
from tests.building import House
from vrio_klaviyo.store.campaigns import campaigns_seen
from vrio_klaviyo.store.workspaces import add_workspace, find_workspace


def test_campaigns_are_known_by_what_webhooks_said(database):
    house = House(database)
    house.connect()
    for number, campaign in ((1, "12"), (2, "9"), (3, "12")):
        body = declined(number, campaign=campaign)
        body["webhook_data"]["transaction"]["campaign"]["campaign_name"] = f"Campaign {campaign}"
        body["webhook_data"]["transaction"]["order"]["id"] = str(5000 + number)
        house.post(body)
    house.take_in()
    with database.write() as session:
        other = add_workspace(session, "Other").id
    with database.read() as session:
        assert list(campaigns_seen(session, find_workspace(session).id).items()) == [
            ("9", "Campaign 9"),
            ("12", "Campaign 12"),
        ]
        assert campaigns_seen(session, other) == {}
    house.close()
