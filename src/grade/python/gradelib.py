# Our own implementation of the interface that grade scripts use. The machine is reached through gradehost: see src/grade/host.ts.
import re
from gradehost import NotGraded, ask

__all__ = [
    "test", "end_part", "run_tests", "get_current_test", "make", "maybe_unlink", "reset_fs", "color", "random_str",
    "check_time", "check_answers", "assert_equal", "assert_lines_match", "Runner", "TerminateTest", "save",
    "stop_breakpoint", "call_on_line", "stop_on_line", "shell_script",
]

_tests = []
_current = None
# None: the tests are only listed.
_wanted = None


class TerminateTest(Exception):
    pass


# ---- tests -----------------------------------------------------------------------------------------------------------


class _Test:
    def __init__(self, points, title, parent, function):
        self.points = points
        # The title that a report shows, with the blanks of a child.
        self.title = ("  " if parent else "") + title
        self.__name__ = function.__name__ if hasattr(function, "__name__") else title
        self.parent = parent
        self.function = function
        self.index = len(_tests)
        self.complete = False
        self.ok = False
        self.left_out = None
        self.on_finish = []

    def __call__(self):
        global _current
        if self.complete:
            return self.ok
        self.complete = True
        outcome = "passed"
        message = ""
        # A parent runs first, even if only its child is wanted.
        if self.parent and not self.parent():
            if self.parent.left_out:
                outcome = "not-graded"
                message = self.left_out = self.parent.left_out
            else:
                outcome = "failed"
                message = "Parent failed: %s" % self.parent.title.strip()
            ask("begin", self.index)
        else:
            ask("begin", self.index)
            _current = self
            try:
                self.function()
            except AssertionError as e:
                message = str(e)
                # As graders do it: an assertion without a word passes.
                outcome = "failed" if message else "passed"
            except NotGraded as e:
                outcome = "not-graded"
                message = self.left_out = str(e)
            except Exception as e:
                outcome = "errored"
                message = "%s: %s" % (type(e).__name__, e)
            _current = None
        self.ok = outcome == "passed"
        for callback in self.on_finish:
            callback(message if outcome == "failed" else None)
        ask("end", self.index, outcome, message)
        return self.ok


def test(points, title=None, parent=None):
    def register(function):
        name = title
        if not name:
            name = function.__name__
            assert name.startswith("test_")
            name = name[5:].replace("_", " ")
        entry = _Test(points, name, parent, function)
        _tests.append(entry)
        return entry

    return register


def end_part(name):
    pass


def get_current_test():
    if _current is None:
        raise RuntimeError("No test is running")
    return _current


def run_tests():
    wanted = ask("tests", [[t.title, t.points, t.parent.index if t.parent else None] for t in _tests])
    for entry in list(_tests):
        if entry.index in wanted:
            entry()
    ask("done")


# ---- assertions ------------------------------------------------------------------------------------------------------


def assert_equal(got, expect, msg=""):
    if got == expect:
        return
    raise AssertionError("%sgot:\n  %s\nexpected:\n  %s" % (msg + "\n" if msg else "", str(got), str(expect)))


def assert_lines_match(text, *regexps, **kw):
    no = kw.pop("no", [])
    if kw:
        raise TypeError("unexpected keyword argument")
    patterns = [r.pattern if isinstance(r, re.Pattern) else r for r in regexps]
    unwanted = [r.pattern if isinstance(r, re.Pattern) else r for r in no]
    got = ask("lines", text, patterns, unwanted)
    if "error" in got:
        raise re.error(got["error"])
    if got["message"]:
        raise AssertionError(got["message"])


# ---- utilities -------------------------------------------------------------------------------------------------------


def make(*target):
    pass


def maybe_unlink(*paths):
    pass


def reset_fs():
    ask("resetDisk")


def color(name, text):
    return text


def random_str(n=8):
    return ask("random", n)


def _read(path):
    try:
        with open(path) as f:
            return f.read()
    except OSError:
        raise AssertionError("Cannot read %s" % path)


def check_time():
    text = _read("time.txt").strip()
    if not re.match(r"^\d+$", text):
        raise AssertionError("time.txt does not contain a single integer (number of hours spent on the lab)")


def check_answers(file, n=10):
    if len(_read(file).strip()) < n:
        raise AssertionError("%s does not seem to contain enough text" % file)


# ---- the machine -----------------------------------------------------------------------------------------------------


class _Qemu:
    def __init__(self):
        self._pieces = []
        self.on_output = []

    @property
    def output(self):
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    def _heard(self, text):
        self._pieces.append(text)
        for callback in self.on_output:
            callback(text)

    def write(self, text):
        ask("write", text if isinstance(text, str) else text.decode())


class Runner:
    def __init__(self, *default_monitors):
        self._default_monitors = default_monitors
        self.qemu = None
        self._breakpoints = []

    def run_qemu(self, *monitors, **kw):
        self.qemu = qemu = _Qemu()
        self._breakpoints = []
        for monitor in self._default_monitors + monitors:
            monitor(self)
        got = ask("start", self._breakpoints, kw.get("timeout", 30), kw.get("make_args", []))
        if "missing" in got:
            raise AssertionError("Symbol %s not found" % got["missing"])
        if "notGraded" in got:
            raise NotGraded(got["notGraded"])
        try:
            while True:
                got = ask("step")
                if got["text"]:
                    qemu._heard(got["text"])
                if got["end"]:
                    break
        except TerminateTest:
            pass
        finally:
            # What still comes while the machine is being stopped belongs to the output.
            qemu._pieces.append(ask("stop")["text"])

    def user_test(self, binary, *monitors, **kw):
        raise NotGraded("user_test() builds a kernel with another first program, which cannot be done here")

    def match(self, *args, **kw):
        assert_lines_match(self.qemu.output, *args, **kw)


# ---- monitors --------------------------------------------------------------------------------------------------------


def save(path):
    def setup(runner):
        pass

    return setup


def stop_breakpoint(addr):
    def setup(runner):
        runner._breakpoints.append(addr if isinstance(addr, str) else "0x%x" % addr)

    return setup


def call_on_line(regexp, callback):
    def setup(runner):
        rest = [""]

        def on_text(text):
            lines = (rest[0] + text).split("\n")
            rest[0] = lines.pop()
            for line in lines:
                if re.match(regexp, line):
                    callback(line)

        runner.qemu.on_output.append(on_text)

    return setup


def stop_on_line(regexp):
    def stop(line):
        raise TerminateTest()

    return call_on_line(regexp, stop)


def shell_script(script, terminate_match=None):
    """Types the next line each time that the text `$ ` comes, wherever it stands in a line."""

    def setup(runner):
        left = list(script)
        rest = [""]

        def on_text(text):
            rest[0] += text
            while True:
                at = rest[0].find("$ ")
                seen = rest[0] if at < 0 else rest[0][: at + 2]
                if terminate_match is not None and re.match(terminate_match, seen):
                    raise TerminateTest()
                if at < 0:
                    return
                rest[0] = rest[0][at + 2 :]
                if left:
                    runner.qemu.write(left.pop(0) + "\n")
                elif terminate_match is None:
                    raise TerminateTest()

        runner.qemu.on_output.append(on_text)

    return setup
