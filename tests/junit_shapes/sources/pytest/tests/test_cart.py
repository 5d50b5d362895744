import pytest


class TestCart:
    @pytest.mark.parametrize("text", ["1-2 €", 'a "x" <y>'], ids=["1-2 €", 'a "x" <y>'])
    def test_sum(self, text):
        assert text == "1-2 €"

    def test_double(self, till):
        print("said")
        assert len([1, 2]) == 1

    def test_print(self, printer):
        pass
