"""
`flask demo`: the whole product on this computer, with a Klaviyo of its own, and some webhooks on their way through it.

It works as people do: by commands, over HTTP, and by looking at the sandbox. It imports nothing of the product.
"""

from sandbox.demo.play import run

__all__ = ["run"]
