"""`flask key generate`."""

import json

from vrio_klaviyo.store.crypto import Vault


def test_a_generated_key_seals_and_opens(invoke):
    plain, told = invoke("key", "generate").stdout, json.loads(invoke("key", "generate", "--json").stdout)

    for key in (plain.strip(), told["key"]):
        vault = Vault([key])
        assert vault.unseal(vault.seal("secret", "ws_1", "cn_1"), "ws_1", "cn_1") == "secret"
    assert plain.strip() != told["key"]
