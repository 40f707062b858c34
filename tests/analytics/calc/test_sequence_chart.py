from analytics.calc import sequence_chart


def point(effect, low=None, high=None):
    return {"effect": effect, "low": low, "high": high}


class TestDraw:
    def test_puts_no_difference_in_the_middle(self):
        found = sequence_chart.draw([point(0.0, -0.02, 0.02), point(0.01, -0.01, 0.02)])

        assert found.zero == 100
        assert found.most == 0.02
        assert found.effect == "0.0,100.0 640.0,50.0"
        assert found.low == "0.0,200.0 640.0,150.0"

    def test_leaves_out_bounds_that_exclude_nothing(self):
        found = sequence_chart.draw([point(0.0), point(0.01), point(0.01, -0.01, 0.03)])

        assert found.high == "640.0,0.0"

    def test_of_one_point_is_none(self):
        assert sequence_chart.draw([point(0.0)]) is None
