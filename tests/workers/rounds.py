"""What tests of the clock's rounds are made of: a clock's tools, and what it has rung for."""

from datetime import UTC, datetime

from redis import Redis
from rq import Queue

from tests.building import settings_for
from workers.bells import QUEUE, SERIALIZER
from workers.tools import Tools

NOW = datetime.now(UTC)


def tools_for(database_url: str, redis_url: str, owner: str) -> Tools:
    """As a process of that name opens them."""
    tools = Tools(settings_for(database_url, redis_url))
    tools.owner = owner
    return tools


def rung(redis_url: str) -> list[str | None]:
    """What workers are asked to do."""
    with Redis.from_url(redis_url) as client:
        return [job.description for job in Queue(QUEUE, connection=client, serializer=SERIALIZER).jobs]
