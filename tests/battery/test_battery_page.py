"""The page says what the stored result says."""

import battery_page


def test_the_table_is_that_of_the_stored_result():
    assert battery_page.PAGE.read_text() == battery_page.page(), "run: python tests/support/battery_page.py"


def test_every_target_is_described():
    from novum.battery.target import targets

    text = battery_page.PAGE.read_text()
    for one in targets():
        assert f"| {one.name} |" in text
