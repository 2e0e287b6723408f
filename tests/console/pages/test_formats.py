"""How values look: times in the visitor's zone, money with all its digits, people masked for who may not see them."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import render_template_string

from console.pages import formats

NOON = datetime(2026, 8, 30, 12, 0, 5, 120_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("29.99", "USD", "$29.99"),
        ("29.995", "USD", "$29.995"),
        ("29.9", "USD", "$29.90"),
        ("1234.5", "EUR", "€1,234.50"),
        ("500", "jpy", "¥500"),
        ("-5", "USD", "-$5.00"),
        ("0", "USD", "$0.00"),
        ("3", "ZZZ", "3 ZZZ"),
        ("3", "", "3"),
        ("free", "USD", "free USD"),
        (None, "USD", "None USD"),
    ],
)
def test_money_keeps_its_digits_and_what_cannot_be_read_stays_as_it_is(amount, currency, shown):
    assert formats.money(amount, currency) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-3, "0 s ago"), (59, "59 s ago"), (60, "1 min ago"), (7199, "1 h ago"), (200_000, "2 d ago")],
)
def test_an_age_has_one_unit(seconds, shown):
    assert formats.ago(seconds) == shown


@pytest.mark.parametrize(
    ("at", "style", "shown"),
    [
        (NOON, "", "12:00:05"),
        (NOON - timedelta(days=1), "", "29 Aug 12:00"),
        (NOON - timedelta(days=400), "", "26 Jul 2025 12:00"),
        (NOON, "full", "30 Aug 2026 12:00:05 UTC"),
        (NOON, "date", "30 Aug 2026"),
    ],
)
def test_a_time_is_short_and_exact_on_hover(app, at, style, shown):
    with app.test_request_context("/"):
        tag = formats.time_tag(at, NOON, style)

    exact = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert tag == f'<time datetime="{exact}" title="{exact}">{shown}</time>'


def test_no_time_is_a_dash(app):
    assert formats.time_tag(None, NOON) == "—"


def draw(app, person, source, **values):
    """What a template says to that person."""
    with app.test_request_context("/", headers={"Cookie": f"console={person.client.get_cookie('console').value}"}):
        app.preprocess_request()
        return render_template_string(source, **values).strip()


def test_times_are_the_accounts_unless_the_visitor_says_otherwise(app, visit, site, house):
    with site.db.write() as session:
        session.merge(house.source).time_zone = "America/New_York"
    person = visit("viewer")
    drawn = {}
    for clock in ("account", "utc"):
        person.post("/clock", clock=clock)
        drawn[clock] = draw(app, person, "{{ at|moment('full') }}", at=NOON)

    assert ">30 Aug 2026 08:00:05 EDT<" in drawn["account"]
    assert ">30 Aug 2026 12:00:05 UTC<" in drawn["utc"]


@pytest.mark.parametrize(
    ("role", "shown"),
    [
        ("viewer", "a••@example.com +1•••4567 A•• L••"),
        ("support", "ada@example.com +15551234567 Ada Lovelace"),
    ],
)
def test_a_viewer_sees_people_masked(app, visit, role, shown):
    source = "{{ 'ada@example.com'|email }} {{ '+15551234567'|phone }} {{ 'Ada Lovelace'|person }}"

    assert draw(app, visit(role), source) == shown


def test_what_comes_from_outside_is_text(app, visit):
    hostile = '"><script>alert(1)</script>'
    source = """{% import "macros/show.html" as show %}
        {{ show.badge("failed", x) }}{{ show.chip(x) }}{{ show.body(x, "b") }}
        {{ show.body('{"k":' ~ x|tojson ~ '}', "c") }}
        {{ x|email }}{{ x|phone }}{{ x|person }}{{ x|money(x) }}"""

    page = draw(app, visit("support"), source, x=hostile)

    assert "<script" not in page
    assert page.count("&lt;script&gt;") + page.count("\\u003cscript") >= 6


@pytest.mark.parametrize(
    ("values", "most", "height"), [([0.25, 0.5], "0.5", "116.0"), ([0, 0], "0", None), ([3, 1500], "1,500", "116.0")]
)
def test_a_chart_says_its_highest_value_and_fills_its_height_with_it(app, visit, values, most, height):
    source = """{% import "macros/charts.html" as charts %}{{ charts.bars("Time", ["a", "b"], [("s", "calm", v)]) }}"""

    page = draw(app, visit("viewer"), source, v=values)

    assert f"Time, at most {most} " in page
    assert f"the highest is {most}." in page
    assert (f'height="{height}"' in page) if height else "<rect" not in page
