"""
Vrio's objects, field by field, with the values still in our own types; `spelling` writes them down.

Shape:  names and order as in REST. The first field is always the object's own id.
Source: Vrio's API reference.
"""

from decimal import Decimal
from typing import Any

Fields = dict[str, Any]

# The merchant's only member of staff, who did everything.
STAFF = 26
ZERO = Decimal("0.00")
