def mark(role):
    print("<<%s>>" % role)


class Shared:
    def test_role_shared(self):
        mark("shared")
