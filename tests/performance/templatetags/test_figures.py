from decimal import Decimal

import pytest
from django.template import Context, Template


def render(text, **context):
    return Template("{% load figures %}" + text).render(Context(context))


class TestFilters:
    @pytest.mark.parametrize(
        ("text", "value", "shown"),
        [
            ("{{ x|percent }}", 0.467, "46.7 %"),
            ("{{ x|percent:0 }}", 0.467, "47 %"),
            ("{{ x|change }}", 1.52, "+152.0 %"),
            ("{{ x|money }}", 957.5, "$957.50"),
            ("{{ x|times }}", 20.9, "20.9x"),
            ("{{ x|count }}", 12345, "12,345"),
            ("{{ x|plain_number:3 }}", 0.2154, "0.215"),
            ("{{ x|percent }}", None, "–"),
            ("{{ x|unlocalized }}", 0.5, "0.5"),
            ("{{ x|estimate }}", None, "not known"),
            ("{{ x|points }}", -1.57, "-157.0 points"),
            ("{{ x|points }}", None, "–"),
            ("{{ x|cents }}", Decimal("-0.68"), "-$0.68"),
            ("{{ x|cents }}", None, "–"),
            ("{{ x|spaced }}", "no_thesis", "no thesis"),
        ],
    )
    def test_write_figures_as_everywhere(self, text, value, shown):
        assert render(text, x=value) == shown
