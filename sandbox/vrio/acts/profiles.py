"""A customer's own details change; Vrio has no webhook for that, so an order tells it."""

from sandbox.vrio.acts.life import Life
from sandbox.vrio.records import Phone


def change_email(life: Life, order_id: int, email: str) -> None:
    life.world.change(life.customer, email=email)
    life.note(order_id, "Customer e-mail changed")


def change_name(life: Life, order_id: int, last_name: str) -> None:
    life.world.change(life.customer, last_name=last_name)
    life.note(order_id, "Customer name changed")


def change_phone(life: Life, order_id: int, phone: Phone) -> None:
    life.world.change(life.customer, phone=phone)
    life.note(order_id, "Customer phone changed")
