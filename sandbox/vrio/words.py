"""
Vrio's lists: each word with the number that REST writes and the label that webhooks write.

Source: Vrio's API reference, its enumerations; the labels of cancel reasons are each account's own.
"""

from enum import Enum


class Word(Enum):
    """A word out of one of the lists; its value is the number and the label."""

    @property
    def number(self) -> int:
        number: int = self.value[0]
        return number

    @property
    def label(self) -> str:
        label: str = self.value[1]
        return label


class TransactionType(Word):
    SALE = (1, "Sale")
    REFUND = (2, "Refund")
    VOID = (3, "Void")
    CHARGEBACK = (4, "Chargeback")
    ALERT = (5, "Alert")
    AUTH = (6, "Auth")
    CAPTURE = (7, "Capture")
    COD = (8, "COD")
    CHARGEBACK_REVERSAL = (9, "Chargeback Reversal")
    RETURNED_CHECK = (10, "Returned Check")


class TransactionStatus(Word):
    """Vrio: no transaction says its own; it is only searched by."""

    PENDING = (1, "Pending")
    COMPLETE = (2, "Complete")
    SCHEDULED = (3, "Scheduled")
    CANCELLED = (4, "Cancelled")
    SKIPPED = (5, "Skipped")


class Status(Word):
    """Of orders and of order offers."""

    ACTIVE = (1, "Active")
    CANCELLED = (2, "Cancelled")
    COMPLETE = (3, "Complete")
    PARTIAL = (4, "Partial")
    DECLINED = (5, "Declined")
    PAUSED = (9, "Paused")
    EXPIRED = (10, "Expired")


class ShipmentStatus(Word):
    PENDING_POST = (1, "Pending Post")
    PENDING_TRACKING = (2, "Pending Tracking")
    CANCELLED = (3, "Cancelled")
    SHIPPED = (4, "Shipped")


class Carrier(Word):
    USPS = (1, "USPS")
    UPS = (2, "UPS")
    FEDEX = (3, "FedEx")
    DHL = (4, "DHL eCommerce")
    CANADA_POST = (6, "Canada Post")
    AUSTRALIA_POST = (8, "Australia Post")


class CardType(Word):
    MASTERCARD = (1, "Mastercard")
    VISA = (2, "Visa")


class PaymentMethod(Word):
    CREDIT_CARD = (1, "Credit Card")
    CHECK = (2, "Check")
    CASH = (5, "Cash")


class Currency(Word):
    USD = (1, "USD")
    EUR = (2, "EUR")
    GBP = (3, "GBP")
    CAD = (4, "CAD")
    AUD = (5, "AUD")


class CancelReason(Word):
    TOO_EXPENSIVE = (1, "Too expensive")
    TOO_MUCH = (2, "Too much product")
    NOT_FOR_ME = (3, "Not for me")
    PAYMENT_FAILED = (4, "Payment failed")
    DISPUTE = (5, "Dispute")


class ReshipType(Word):
    NOT_RECEIVED = (1, "Did not receive package")
    DAMAGED = (2, "Damaged Items")


class ShipmentParentType(Word):
    RESHIP = (1, "Reship")


class Gateway(Word):
    TEST = (1, "Test Gateway")
