

# Part of the pytest worker: what went wrong, and where in the suite.


class Failure:
    """An exception as the protocol shows it."""

    BACKTRACE_LINES = 50
    # With the separator at its end.
    SUITE_ROOT = os.path.join(os.getcwd(), "")
    # Folders of pytest and its parts, whose frames say nothing about the suite.
    machinery = ()

    @classmethod
    def describe(cls, exception):
        frames = cls.frames_of(exception)
        own = next((frame for frame in frames if cls.is_own(frame[0])), None)
        if own is None and isinstance(exception, SyntaxError) and exception.filename:
            own = (exception.filename, exception.lineno, "")
            own = own if cls.is_own(own[0]) else None
        return {
            "class": Text.utf8(cls.class_of(exception)),
            "message": Text.bounded(cls.message_of(exception)),
            "file": Text.utf8(cls.relative(own[0])) if own else None,
            "line": own[1] if own else None,
            "backtrace": [Text.utf8("%s:%s: in %s" % (cls.relative(path), line, name))
                          for path, line, name in frames[: cls.BACKTRACE_LINES]],
        }

    @staticmethod
    def plain(message):
        """For what went wrong without an exception."""
        return {"class": "", "message": Text.bounded(message), "file": None, "line": None, "backtrace": []}

    @staticmethod
    def class_of(exception):
        kind = type(exception)
        plain = kind.__module__ in ("builtins", "__main__") or kind.__module__.split(".")[0] == "_pytest"
        return kind.__qualname__ if plain else "%s.%s" % (kind.__module__, kind.__qualname__)

    @classmethod
    def message_of(cls, exception):
        try:
            if isinstance(exception, SystemExit):
                return cls.exit_message(exception)
            if type(exception).__qualname__ == "FixtureLookupError":
                return exception.formatrepr().errorstring
            if type(exception).__qualname__ == "Exit" and type(exception).__module__ == "_pytest.outcomes":
                return "the test called pytest.exit: %s" % exception
            inner = getattr(exception, "exceptions", None)
            if isinstance(inner, (list, tuple)) and inner and all(isinstance(e, BaseException) for e in inner):
                parts = ["%d) %s: %s" % (i + 1, cls.class_of(e), cls.message_of(e)) for i, e in enumerate(inner)]
                return "\n\n".join(["%s:" % getattr(exception, "message", exception)] + parts)
            text = str(exception)
            if not text and isinstance(exception, AssertionError):
                text = cls.source_of(exception)
            cause = exception.__cause__
            if cause is not None and cause is not exception:
                text += "\ncaused by %s: %s" % (cls.class_of(cause), str(cause))
            return text
        except Exception as error:
            return "(its message can't be shown: %s)" % type(error).__name__

    @staticmethod
    def exit_message(exception):
        if exception.code is None or isinstance(exception.code, int):
            return "the test called exit (status %d)" % (exception.code or 0)
        return "the test called exit (status 1): %s" % exception.code

    @staticmethod
    def source_of(exception):
        """The line that was asserted, where pytest did not rewrite it."""
        import linecache

        step = exception.__traceback__
        while step is not None and step.tb_next is not None:
            step = step.tb_next
        return linecache.getline(step.tb_frame.f_code.co_filename, step.tb_lineno).strip() if step else ""

    @classmethod
    def frames_of(cls, exception):
        """Path, line and function of each frame, innermost first; without pytest's own, unless there are no others."""
        frames, step = [], exception.__traceback__
        while step is not None:
            code = step.tb_frame.f_code
            hidden = bool(step.tb_frame.f_locals.get("__tracebackhide__", False))
            hidden = hidden or code.co_filename == __file__ or code.co_filename.startswith(cls.machinery)
            frames.append((hidden, (code.co_filename, step.tb_lineno, code.co_name)))
            step = step.tb_next
        frames.reverse()
        return [frame for hidden, frame in frames if not hidden] or [frame for _, frame in frames]

    @classmethod
    def is_own(cls, path):
        """Packages that are installed inside of the project are not the project's own code."""
        path = os.path.join(cls.SUITE_ROOT, path)
        parts = path[len(cls.SUITE_ROOT):].split(os.sep)
        return path.startswith(cls.SUITE_ROOT) and path != __file__ and not set(parts) & set(FOREIGN_DIRECTORIES) \
            and os.path.exists(path)

    @classmethod
    def relative(cls, path):
        return path[len(cls.SUITE_ROOT):] if path.startswith(cls.SUITE_ROOT) else path

    @classmethod
    def place_in(cls, text):
        """File and line of the last place in the project's own code that a text of pytest's names."""
        import re

        place = (None, None)
        for path, line in re.findall(r"^E?\s*(?:File \")?([^\s:\"][^:\"\n]*)(?:\", line |:)(\d+)", text, re.MULTILINE):
            if cls.is_own(path):
                place = (cls.relative(os.path.normpath(path)), int(line))
        return place
