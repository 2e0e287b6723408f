"""
What happens to one customer in a month.

Shape:  a plot acts, and yields how long it takes until it goes on; a story tells many of them at once.
"""
