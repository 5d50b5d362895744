

# Part of the pytest worker: listing the suite's items.


class Catalogue:
    """The items of a collected suite, and how to name them."""

    # What pytest itself gives a meaning; of these marks, no tag is made.
    OWN_MARKS = {"parametrize", "usefixtures", "filterwarnings", "skip", "skipif", "xfail"}

    def __init__(self, items):
        self.by_selector, self.place = {}, {}
        self.listing = []
        for item in items:
            selector = self.unused(Text.utf8(item.nodeid))
            self.by_selector[selector] = item
            self.place[selector] = len(self.place)
            self.listing.append(self.entry(selector, item))

    def unused(self, selector):
        """A collector may give several items the same id."""
        candidate, number = selector, 1
        while candidate in self.by_selector:
            number += 1
            candidate = "%s#%d" % (selector, number)
        return candidate

    def entry(self, selector, item):
        path = str(getattr(item, "path", None) or item.location[0])
        inside = os.path.join(Failure.SUITE_ROOT, path)
        file = Failure.relative(inside) if inside.startswith(Failure.SUITE_ROOT) else os.path.relpath(inside)
        name = selector.split("::", 1)[1] if "::" in selector else item.name
        return {"selector": selector, "file": Text.utf8(file), "line": self.line_of(item, inside),
                "name": Text.utf8(name), "tags": self.tags_of(item)}

    @staticmethod
    def line_of(item, path):
        """Where the item is inherited from another file, its class's line."""
        try:
            place, line = item.reportinfo()[:2]
            if os.path.realpath(str(place)) != os.path.realpath(path):
                place, line = item.getparent(type(item.parent)).reportinfo()[:2]
            if os.path.realpath(str(place)) == os.path.realpath(path) and line is not None:
                return line + 1
        except Exception:
            pass
        return None

    def tags_of(self, item):
        tags = []
        for mark in item.iter_markers():
            if mark.name in self.OWN_MARKS:
                continue
            values = [str(value) for value in mark.args if isinstance(value, (str, int, float))]
            for tag in ["%s:%s" % (mark.name, value) for value in values] or [mark.name]:
                tag = Text.utf8(tag)
                if tag not in tags:
                    tags.append(tag)
        return tags
