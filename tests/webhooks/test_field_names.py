"""What the name of a field says about its value."""

import pytest

from tests.webhooks.cards import outcome

pytestmark = pytest.mark.requirement("003-A")


@pytest.mark.parametrize(
    "name",
    [
        "card_number", "cardnumber", "cardNumber", "CardNumber", "CARD_NUMBER", "card-number", "card.number",
        "card[number]", "card_num", "cardno", "card_no", "cc_number", "ccnumber", "cc_num", "ccnum", "ccNum", "ccno",
        "credit_card_number", "creditcardnumber", "creditCardNumber", "debit_card_number",
        "a_name_that_is_longer_than_those_that_any_payload_in_this_world_has_card_number", "customer_card_number",
        "billing_cc_number", "card_number_2", "card_number2", "pan", "card_pan", "PAN", "primary_account_number",
        "card_account_number",
    ],
)  # fmt: skip
def test_these_are_names_of_a_card_number(name: str) -> None:
    assert outcome('"424242XXXXXX4242"', name) == '"4242"'


@pytest.mark.parametrize(
    "name",
    [
        "cvv", "CVV", "cvv2", "cvc", "cvc2", "csc", "cvn", "cvd", "cv2", "card_cvv", "cardCvv", "cardCVC", "cc_cvv",
        "cc_cvc2", "customer_card_cvv", "cvv_code", "cvvNumber", "security_code", "securityCode",
        "card_security_code", "cc_security_code", "card_code", "cardcode", "card_id_code", "verification_value",
        "card_verification_value", "card_verification", "card_verification_code",
    ],
)  # fmt: skip
def test_these_are_names_of_a_security_code(name: str) -> None:
    assert outcome('"123"', name) == '""'


@pytest.mark.parametrize(
    "name",
    [
        "customer_card_id", "card_type_id", "customer_card_type_id", "customer_card_bin", "card_last_four",
        "card_exp_month", "card_exp_year", "card_prepaid", "card_number_id", "gift_card_number", "gift_card_code",
        "gift_card_applied", "account_number", "check_number", "company", "japan", "accnumber", "cid",
        "gateway_response_cvv", "gateway_card_number", "gateway_cvv", "response_cvv", "cvv_result", "cvv_match",
        "avs_result_cvv", "processor_response_cvv", "cvv_status", "code", "discount_code", "chargeback_code",
        "zipcode", "gateway_auth_code", "email_verification_code", "payment_method_id", "id",
        "card_numbers", "number",
    ],
)  # fmt: skip
def test_these_are_names_of_neither(name: str) -> None:
    assert outcome('"424242"', name) == '"424242"'


@pytest.mark.parametrize(
    "name",
    [
        "phone", "Phone", "phone_number", "customer_phone", "merchant_phone", "id", "order_id", "webhook_event_id",
        "orderId", "gateway_response_id", "gateway_response_text", "gateway-reference", "tracking_number",
        "tracking_code", "tracking_url", "shipment_tracking_id", "shipment_tracking_number", "trackingNumber",
        "sku", "item_sku", "shipment_item_sku", "barcode", "itemEan",
    ],
)  # fmt: skip
def test_these_names_keep_what_looks_like_a_card_number(name: str) -> None:
    for value in ('"4242424242424242"', "4242424242424242", '["4242424242424242", ["4242 4242 4242 4242"]]'):
        assert outcome(value, name) == value


@pytest.mark.parametrize(
    "name", ["tracking1", "tracking20", "order_notes", "cart_token", "paid", "gatekeeper", "skull", ""]
)
def test_these_names_do_not(name: str) -> None:
    assert outcome('"4242424242424242"', name) == '"4242"'
