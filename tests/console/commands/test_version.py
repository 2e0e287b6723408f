"""`flask version`."""

import json
import platform

from vrio_klaviyo import VERSION
from vrio_klaviyo.klaviyo.requests import REVISION
from vrio_klaviyo.store.db import head


def test_the_version_needs_no_settings(invoke):
    plain, told = invoke("version"), invoke("version", "--json")

    assert (plain.exit_code, plain.stdout) == (0, f"{VERSION}\n")
    assert json.loads(told.stdout) == {
        "version": VERSION,
        "python": platform.python_version(),
        "klaviyo_revision": REVISION,
        "migration": head(),
    }
