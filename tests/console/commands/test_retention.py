"""`flask retention …`."""

from datetime import timedelta

from sqlalchemy import update

from sandbox.klaviyo import GOOD_KEY
from tests.console.shop import klaviyo, utc_now
from vrio_klaviyo.store.deliveries import Delivery
from vrio_klaviyo.store.inbound import InboundEvent

SALE = "transaction_completed_sale_subscription_cycle1"


def test_what_is_old_is_counted_and_removed(flask, shop, monkeypatch):
    connection = shop.connect(GOOD_KEY)
    shop.receive_sample(SALE)
    with klaviyo() as (url, _):
        shop.send(connection, url)
    with shop.db.write() as session:
        for table in (Delivery, InboundEvent):
            session.execute(update(table).values(finished_at=utc_now() - timedelta(days=10)))
    nothing = {"bodies": 0, "webhooks": 0, "customers": 0, "replays": 0, "strays": 0}

    assert flask.told("retention", "run", "--dry-run") == nothing | {"dry_run": True}
    monkeypatch.setenv("BODY_RETENTION_DAYS", "9")
    # The webhook is counted when nothing is left that it is needed for.
    assert flask.told("retention", "run", "--dry-run")["bodies"] == 3
    assert flask.told("retention", "run") == nothing | {"bodies": 4, "dry_run": False}
    delivery = flask.listed("delivery", "list")[0]
    shown = flask.told("delivery", "show", delivery["id"])
    assert shown["request"] is None
    assert flask.invoke("delivery", "show", delivery["id"]).exit_code == 0
    for verb in ("resend", "curl", "body"):
        refused = flask.invoke("delivery", verb, delivery["id"])
        assert refused.exit_code == 1
        assert "odies were removed on" in refused.stderr
