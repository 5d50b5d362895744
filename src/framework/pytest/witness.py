

# Part of the pytest worker: what the browser showed when an item failed.


class Witness:
    """Keeps what the browser showed when an item failed, where one of its fixtures, or its object, is a driver of
    Selenium or a page of Playwright: a picture, the page and, as text, the address, the title and the console. Whatever
    goes wrong here is not the item's fault and is passed over."""

    FOLDER = "/tmp/shakedown_evidence"
    # All browsers of one item have so long together. A browser that hangs is why many an item fails.
    LIMIT_SECONDS = 6
    LIMIT_BYTES = 8 * 1024 * 1024
    MOST_BROWSERS = 4

    def __init__(self):
        self.count = 0

    def look(self, item):
        """Right after the item's own code failed, before any fixture is torn down."""
        kept = []
        try:
            browsers = self.browsers_of(item)
            if not browsers:
                return kept
            self.count += 1
            folder = os.path.join(self.FOLDER, "%d-%d" % (PID, self.count))
            os.makedirs(folder, exist_ok=True)
            deadline = CLOCK[0]() + self.LIMIT_SECONDS
            for index, (kind, browser) in enumerate(browsers):
                base = os.path.join(folder, "page" if index == 0 else "page-%d" % (index + 1))
                left = deadline - CLOCK[0]()
                if left > 0:
                    kept += self.ask_playwright(browser, base, left) if kind == "playwright" \
                        else self.ask_selenium(browser, base, left)
        except Exception:
            pass
        return kept

    def browsers_of(self, item):
        values = list((getattr(item, "funcargs", None) or {}).values())
        definitions = getattr(getattr(item, "_request", None), "_fixture_defs", None) or {}
        for definition in list(definitions.values()):
            cached = getattr(definition, "cached_result", None)
            if cached is not None and cached[2] is None:
                values.append(cached[0])
        instance, holder = getattr(item, "instance", None), getattr(item, "cls", None)
        values += [value for of in (instance, holder) if of is not None for value in self.attributes(of)]
        # A page object or another helper holds its browser as an attribute.
        values += [inner for value in list(values) for inner in self.attributes(value)]
        found, seen = [], set()
        for value in values:
            kind = self.kind_of(value)
            if kind and id(value) not in seen:
                seen.add(id(value))
                found.append((kind, value))
        return found[: self.MOST_BROWSERS]

    @staticmethod
    def attributes(value):
        try:
            return list(vars(value).values()) if not isinstance(value, type(os)) else []
        except TypeError:
            return []

    @staticmethod
    def kind_of(value):
        """By what the class has: asking the object itself may ask the browser."""
        import inspect

        kind = type(value)
        if kind.__module__ in ("unittest.mock", "mock"):
            return None
        if callable(getattr(kind, "save_screenshot", None)) and hasattr(kind, "page_source"):
            return "selenium"
        picture = getattr(kind, "screenshot", None)
        if callable(picture) and callable(getattr(kind, "content", None)) and not inspect.iscoroutinefunction(picture):
            return "playwright"
        return None

    def ask_selenium(self, driver, base, limit):
        """In a thread, as nothing else bounds how long a driver takes to answer."""
        import threading

        kept = []

        def ask():
            picture = base + ".png"
            self.attempt(lambda: driver.save_screenshot(picture))
            if os.path.exists(picture) and os.path.getsize(picture):
                kept.append({"kind": "screenshot", "path": picture})
            self.write(kept, "page", base + ".html", self.attempt(lambda: driver.page_source))
            lines = ["address: %s" % self.attempt(lambda: driver.current_url),
                     "title: %s" % self.attempt(lambda: driver.title)]
            console = self.attempt(lambda: driver.get_log("browser"))
            if console is not None:
                lines.append("console:")
                lines += ["  %s %s" % (entry.get("level"), entry.get("message")) for entry in console]
            self.write(kept, "browser", base + ".txt", "\n".join(lines) + "\n")

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        asking.join(limit)
        return list(kept)

    def ask_playwright(self, page, base, limit):
        """Its objects belong to their thread; but it bounds the time by itself, and a page that can't be pictured in
        time is asked for nothing else."""
        kept, picture = [], base + ".png"
        self.attempt(lambda: page.screenshot(path=picture, timeout=limit * 1000))
        if not (os.path.exists(picture) and os.path.getsize(picture)):
            return kept
        kept.append({"kind": "screenshot", "path": picture})
        self.write(kept, "page", base + ".html", self.attempt(page.content))
        title = page.title if callable(getattr(page, "title", None)) else (lambda: None)
        text = "address: %s\ntitle: %s\n" % (self.attempt(lambda: page.url), self.attempt(title))
        self.write(kept, "browser", base + ".txt", text)
        return kept

    def write(self, kept, kind, path, text):
        if text is None:
            return
        with open(path, "wb") as file:
            file.write(Text.utf8(text).encode("utf-8")[: self.LIMIT_BYTES])
        kept.append({"kind": kind, "path": path})

    @staticmethod
    def attempt(ask):
        try:
            return ask()
        except Exception:
            return None  # not every driver can
