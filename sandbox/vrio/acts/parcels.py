"""Parcels: packed, handed over, shipped, called off, sent once more."""

from dataclasses import replace

from sandbox.vrio.acts.life import Life
from sandbox.vrio.charges import Packed, Shipment, Transaction
from sandbox.vrio.words import Carrier, ReshipType, ShipmentStatus

CARRIERS = {
    "US": (Carrier.USPS, Carrier.UPS, Carrier.FEDEX),
    "CA": (Carrier.CANADA_POST, Carrier.UPS),
    "AU": (Carrier.AUSTRALIA_POST,),
}


def pack(life: Life, transaction_id: int, parcels: int = 1) -> list[int]:
    """The ids of the parcels that are to go out for a charge; the items are dealt out among them."""
    charge = life.view.get(Transaction, transaction_id)
    number = life.world.number
    packed = [Packed(number("shipment_item"), line.item, line.quantity) for line in charge.lines]
    return [_pack(life, charge, tuple(packed[first::parcels]), None) for first in range(parcels)]


def hand_over(life: Life, shipment_id: int) -> None:
    """The warehouse has it."""
    parcel = life.world.change(
        _parcel(life, shipment_id), status=ShipmentStatus.PENDING_TRACKING, fulfillment_id=f"FUL-{shipment_id}"
    )
    life.world.tell("shipment_fulfilled", parcel)


def ship(life: Life, shipment_id: int) -> None:
    """The carrier has it, there is a tracking number."""
    country = life.customer.addresses[1].country
    parcel = life.world.change(
        _parcel(life, shipment_id),
        status=ShipmentStatus.SHIPPED,
        shipped_at=life.now,
        carrier=life.rng.choice(CARRIERS.get(country, (Carrier.DHL,))),
        tracking_number=f"1Z{life.rng.randint(10**8, 10**9 - 1)}",
    )
    life.world.tell("shipment_shipped", parcel)
    life.note(parcel.order_id, f"Shipment #{shipment_id} was shipped")


def call_off(life: Life, shipment_id: int) -> None:
    """It does not go out."""
    parcel = life.world.change(_parcel(life, shipment_id), status=ShipmentStatus.CANCELLED, cancelled_at=life.now)
    life.world.tell("shipment_cancelled", parcel)


def reship(life: Life, shipment_id: int) -> int:
    """The id of a parcel with the same things, because the first did not do."""
    lost = _parcel(life, shipment_id)
    again = tuple(replace(item, shipment_item_id=life.world.number("shipment_item")) for item in lost.items)
    charge = life.view.get(Transaction, lost.transaction_id)
    return _pack(life, charge, again, life.rng.choice((ReshipType.NOT_RECEIVED, ReshipType.DAMAGED)))


def _pack(life: Life, charge: Transaction, items: tuple[Packed, ...], why: ReshipType | None) -> int:
    parcel = life.world.keep(
        Shipment(
            id=life.world.number("shipment"),
            order_id=charge.order_id,
            customer_id=charge.customer_id,
            transaction_id=charge.id,
            status=ShipmentStatus.PENDING_POST,
            items=items,
            scheduled_at=life.now,
            created_at=life.now,
            modified_at=life.now,
            reship=why,
        )
    )
    life.world.tell("shipment_scheduled", parcel)
    life.note(charge.order_id, f"Shipment #{parcel.id} was created")
    return parcel.id


def _parcel(life: Life, shipment_id: int) -> Shipment:
    return life.view.get(Shipment, shipment_id)
