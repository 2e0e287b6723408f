"""A Klaviyo, a Vrio and a Redis of our own on this computer. Nothing of ours is imported: no mistake is shared."""
