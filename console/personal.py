"""What a viewer sees of a person: enough to tell two apart, not enough to write to them."""


def masked_email(email: str) -> str:
    """`a••@example.com` for `ada@example.com`."""
    name, at, domain = email.rpartition("@")
    return f"{name[:1]}••{at}{domain}" if at else masked(email)


def masked_phone(phone: str) -> str:
    """`+1•••4567` for `+15551234567`."""
    return f"{phone[:2]}•••{phone[-4:]}" if len(phone) > 8 else masked(phone)


def masked(text: str) -> str:
    """The first letter of each word: `A•• L••` for `Ada Lovelace`."""
    return " ".join(f"{word[0]}••" for word in text.split())
