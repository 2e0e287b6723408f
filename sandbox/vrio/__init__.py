"""
A stand-in for Vrio on this computer: a merchant's month as a story, its webhooks, its REST API, and the ledger of what
Klaviyo must hold in the end.

`tell_month` tells the story, `play` posts its webhooks, `create_app` answers REST, `expected` gives the ledger. It
imports nothing of the product's other packages, so it cannot share their mistakes.
"""

from sandbox.vrio.app import create_app
from sandbox.vrio.ledger import expected
from sandbox.vrio.playing import SMOOTH, UNRULY, Burst, DeliveryPlan, bursts, play
from sandbox.vrio.settings import SANDBOX_KEY, Settings
from sandbox.vrio.story import Scene, tell_month, unfold
from sandbox.vrio.world import World

__all__ = [
    "SANDBOX_KEY",
    "SMOOTH",
    "UNRULY",
    "Burst",
    "DeliveryPlan",
    "Scene",
    "Settings",
    "World",
    "bursts",
    "create_app",
    "expected",
    "play",
    "tell_month",
    "unfold",
]
