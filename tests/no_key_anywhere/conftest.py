"""An installation that runs, with marked secrets in its environment."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.klaviyo.keys import KEYS, MAIN_ACCOUNT, ApiKey
from tests.no_key_anywhere.house import House
from tests.no_key_anywhere.marked import GOOD, NEXT, SECRETS
from tests.product import installed
from tests.steered import klaviyo_served


@pytest.fixture
def house(
    database_url: str,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Iterator[House]:
    keys = (*KEYS, ApiKey("marked", GOOD, MAIN_ACCOUNT.id), ApiKey("after it", NEXT, MAIN_ACCOUNT.id))
    with klaviyo_served(keys=keys) as klaviyo:
        environment = {
            "SECRET_KEY": SECRETS["SECRET_KEY"],
            "ENCRYPTION_KEYS": SECRETS["the encryption key"],
            # Nobody is there.
            "VRIO_API_URL": "http://127.0.0.1:9",
            "LOG_LEVEL": "debug",
        }
        everything = environment | {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "KLAVIYO_API_URL": klaviyo.url,
        }
        for name, value in everything.items():
            monkeypatch.setenv(name, value)
        with installed(database_url, redis_url, klaviyo.url, **environment) as product:
            house = House(product, klaviyo, tmp_path, monkeypatch)
            product.start("web", "worker", "clock")
            yield house
            house.browser.close()
