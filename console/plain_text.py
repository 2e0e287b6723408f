"""Text from outside, made harmless where it is read as something else than text."""


def clean(text: str) -> str:
    """Text without what could steer a terminal, break a line or turn the reading direction."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def cell_of_csv(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{clean(text)}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else clean(text)
