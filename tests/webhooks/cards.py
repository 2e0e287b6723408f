"""Card numbers, a webhook that holds one, and what becomes of a value in a body."""

from webhooks.card_data import scrubbed

# The networks' and gateways' published test numbers.
CARDS = {
    "Visa": "4242424242424242",
    "Visa, old": "4222222222222",
    "Visa, 19 digits": "4000000000000000006",
    "Mastercard": "5555555555554444",
    "Mastercard, 2 series": "2223003122003222",
    "Mastercard, end of the 2 series": "2720990000000007",
    "American Express": "378282246310005",
    "American Express, 34": "343434343434343",
    "Discover": "6011111111111117",
    "Discover, 644": "6445644564456445",
    "Discover, 65": "6500000000000002",
    "Diners Club": "30569309025904",
    "Diners Club, 36": "36227206271667",
    "Diners Club, 16 digits": "3056930009020004",
    "JCB": "3566002020360505",
    "UnionPay": "6200000000000005",
    "UnionPay, 19 digits": "6205500000000000004",
    "Maestro": "6759649826438453",
    "Maestro, 50": "5018000000000009",
    "Maestro, 13 digits": "5000000000005",
}
WEBHOOK = r"""{
  "webhook_type" : "transaction",
  "webhook_event_id": 5327,"webhook_event": "transaction_completed",
  "webhook_event_date": "2025-08-15 09:12:44",
  "webhook_data": {"transaction": {
    "id": "1668", "transaction_total": 29.990, "transaction_tax": 0.0e0, "transaction_fee": -0,
    "gateway_response_id": "4242424242424242", "gateway_response_cvv": "M", "gateway_auth_code": "ABCD",
    "gateway_response_text": "Test card response \u2013 \"Successful\"", "customer_card_bin": "424242",
    "customer_card_type_id": "Visa", "chargeback_code": null, "discount_code": "SAVE10", "transaction_fraction":
      0.4242424242424242,
    "order": {"id": "1253", "customer_card_id": "16764", "cart_token": "5b517e779a924b956a2fc87082afd64b",
      "order_notes": "Caf\u00e9 \/ café \\ \"\ud83d\ude00\"", "tracking1": "newsletter", "tracking20": null,
      "ip_address": "203.0.113.24", "user_agent": "Mozilla\/5.0 (X11; Linux x86_64)"},
    "shipments": [{"shipment_tracking_id": "4242424242424242", "tracking_number": "4242424242424242",
      "tracking_url": "https://example.com/4242424242424242"}, {}, [ ]],
    "customer": {"phone": "+44 20 7946 0958", "merchant_phone": "4242424242424242", "first_name": "Zo\u00EB"},
    "customer_card": { "customer_card_id": "16764",	"card_number": %s,
      "card_exp_month": "12", "card_exp_year": "2030", "card_prepaid": "0"}
  }}
}
""".encode()


def outcome(value: str, name: str = "order_notes") -> str:
    """What becomes of a value, both as JSON."""
    before = f'{{"a": 1.50, "{name}" :{value}, "b":[ ]}}'
    after = scrubbed(before.encode()).decode()
    head, tail = f'{{"a": 1.50, "{name}" :', ', "b":[ ]}'
    assert after.startswith(head)
    assert after.endswith(tail)
    return after.removeprefix(head).removesuffix(tail)
