import pytest


@pytest.mark.skip(reason="not on Mondays")
def test_skipped():
    pass


@pytest.mark.xfail(reason="known")
def test_expected():
    assert False


@pytest.mark.xfail(reason="known", strict=True)
def test_mended():
    pass
