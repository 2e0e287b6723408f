"""Worlds in which a short story happens, and the events that a ledger tells of one person, a line for each."""

from datetime import datetime, timedelta
from random import Random

from sandbox.vrio import Scene, World, unfold
from sandbox.vrio.people import PLACES, Person
from sandbox.vrio.records import Phone

START = datetime(2026, 9, 1, 9)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
JOHN = Person("John", "Doe", " John.Doe@Example.com", Phone("(555) 123-4567", "+15551234567"))
JANE = Person("Jane", "Roe", "jane@example.org", place=next(place for place in PLACES if place.country == "GB"))


def told(*scenes, zone="UTC"):
    """A world of thirty days with these plots, each played by somebody from the first morning on."""
    world = World(START, START + 30 * DAY, zone=zone)
    return unfold(world, [Scene(START, someone, plot, Random(1)) for someone, plot in scenes])


def lines(held, *metrics):
    """Time, metric, id and value, where the first is days and hours since the start."""
    found = []
    for event in held["events"]:
        passed = datetime.fromisoformat(event["time"]).replace(tzinfo=None) - START
        if not metrics or event["metric"] in metrics:
            found.append((passed.days, passed.seconds // 3600, event["metric"], event["unique_id"], event["value"]))
    return found
