"""What is sold, by which campaign, through which payment account, and in which parcel."""

from decimal import Decimal

from sandbox.vrio.catalogue import MERCHANT, Campaign, Discount, Item
from sandbox.vrio.charges import Packed
from sandbox.vrio.records import OrderOffer
from sandbox.vrio.shapes import ZERO, Fields
from sandbox.vrio.words import Currency, Gateway


def order_offer_items(told: OrderOffer) -> list[Fields]:
    return [_item(item) for item in told.offer.items]


def discount(told: Discount | None) -> Fields | None:
    if told is None:
        return None
    return {
        "discount_id": told.discount_id,
        "discount_name": told.name,
        "discount_type_id": 1,
        "discount_application_type_id": 1,
        "shipping_only": False,
        "discount_category_id": None,
        "discount_code": told.code,
        "discount_description": None,
        "discount_active": True,
        "discount_expiration_date": None,
        "discount_one_per_customer": False,
        "discount_notes": None,
        "discount_cycles": [
            {
                "discount_cycle_id": 20 + told.discount_id,
                "discount_cycle_weight": 1,
                "discount_cycle_type_id": 2,
                "discount_cycle_percentage": 0,
                "discount_cycle_flat_rate": told.flat,
                "discount_cycle_final": True,
                "discount_cycle_active": True,
            }
        ],
    }


def merchant() -> Fields:
    return {
        "merchant_id": MERCHANT.merchant_id,
        "merchant_name": MERCHANT.name,
        "gateway_id": Gateway.TEST,
        "currency_id": Currency.USD,
        "merchant_mid_id": "0000000005",
        "merchant_descriptor": MERCHANT.descriptor,
        "merchant_phone": "5550100",
        "merchant_url": "https://shop.example.com",
        "merchant_active": True,
    }


def campaign(told: Campaign) -> Fields:
    return {"campaign_id": told.campaign_id, "campaign_name": told.name}


def packed(told: Packed) -> Fields:
    return {
        "shipment_item_id": told.shipment_item_id,
        "quantity": told.quantity,
        "item_id": told.item.item_id,
        "item_name": told.item.name,
        "item_description": None,
        "item_additional_description": None,
        "item_image": None,
        "shipment_item_sku": told.item.sku,
        "items_option_variation_id": None,
    }


def _item(item: Item) -> Fields:
    return {
        "item_id": item.item_id,
        "item_name": item.name,
        "item_category_id": item.category_id,
        "item_description": None,
        "item_image": None,
        "item_active": True,
        "item_price": item.price,
        "item_msrp": item.price,
        "item_cost": ZERO,
        "item_shippable": True,
        "item_sku": item.sku,
        "item_weight": Decimal("0.20"),
        "item_upc": None,
        "item_slug": item.name.lower().replace(" ", "-"),
        "item_quantity": 1,
        "item_tags": [
            {
                "tag_id": 5 + item.category_id,
                "tag_name": item.category,
                "tag_slug": item.category.lower(),
                "tag_image": None,
            }
        ],
    }
