"""Vrio's REST API over the world of a story: what an integration reads, and nothing that writes."""
