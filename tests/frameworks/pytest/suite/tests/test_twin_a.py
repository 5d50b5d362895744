from support.shared import mark


def test_role_twin():
    mark("twin a")
