"""Vrio's webhooks become Klaviyo's profiles and events."""

VERSION = "0.1.0"
