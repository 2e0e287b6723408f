"""
The pages: they show what is held, and hostile text only as text.
"""

HOSTILE = "<script>alert('x')</script>\"'&{{7*7}}"


def test_the_first_page_is_friendly_when_nothing_has_come(klaviyo):
    page = klaviyo.http.get("/").get_data(as_text=True)

    assert "No profiles yet" in page
    assert "pk_sandboxgood" in page


def test_profiles_and_their_events_are_shown(klaviyo, event_body):
    klaviyo.event(event_body)
    klaviyo.event(event_body)
    [profile] = klaviyo.held("profiles")
    overview = klaviyo.http.get("/").get_data(as_text=True)
    detail = klaviyo.http.get(f"/profiles/{profile['id']}").get_data(as_text=True)

    assert f'href="/profiles/{profile["id"]}"' in overview
    assert "john@example.com" in overview
    assert "Acme Supplements" in overview
    assert "Placed Order" in detail
    assert "29.99 USD" in detail
    assert "counted once" in detail
    assert "+15551234567" in detail


def test_profiles_can_be_searched(klaviyo, bulk_body):
    klaviyo.bulk(bulk_body)
    page = klaviyo.http.get("/?q=JANE").get_data(as_text=True)

    assert "jane@example.com" in page
    assert "john@example.com" not in page


def test_hostile_text_is_shown_as_text(klaviyo, event_body):
    attributes = event_body["data"]["attributes"]
    attributes["metric"]["data"]["attributes"]["name"] = HOSTILE
    attributes["properties"] = {HOSTILE: HOSTILE}
    attributes["unique_id"] = HOSTILE
    attributes["profile"]["data"]["attributes"] |= {"first_name": HOSTILE, "title": HOSTILE, "properties": {HOSTILE: 1}}
    assert klaviyo.event(event_body).status_code == 202
    [profile] = klaviyo.held("profiles")

    for path in ("/", f"/?q={HOSTILE}", f"/profiles/{profile['id']}"):
        response = klaviyo.http.get(path)
        page = response.get_data(as_text=True)
        assert "<script" not in page
        assert "&lt;script&gt;" in page
        assert "alert(49)" not in page
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert klaviyo.http.get("/sandbox/events").mimetype == "application/json"


def test_an_unknown_profile_is_404(klaviyo):
    assert klaviyo.http.get("/profiles/none").status_code == 404
