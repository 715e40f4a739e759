# Programs of the host that grade scripts start: those that we have one of our own for. See src/grade/programs.ts.
from gradehost import NotGraded, ask

PIPE = -1
STDOUT = -2
DEVNULL = -3


class CalledProcessError(Exception):
    def __init__(self, returncode, cmd):
        super().__init__("Command %s returned non-zero exit status %d" % (cmd, returncode))
        self.returncode = returncode
        self.cmd = cmd


class TimeoutExpired(Exception):
    pass


class _Stream:
    def __init__(self, data):
        self.data = data

    def read(self, *size):
        data = self.data
        self.data = data[:0]
        return data

    def close(self):
        pass


def _argv(args):
    return args.split() if isinstance(args, str) else [str(arg) for arg in args]


class Popen:
    def __init__(self, args, **kw):
        self.args = args
        self._text = kw.get("text") or kw.get("universal_newlines") or kw.get("encoding")
        self._collected = False
        got = ask("program", "start", _argv(args))
        if "missing" in got:
            raise OSError(2, got["missing"])
        if "notGraded" in got:
            raise NotGraded(got["notGraded"])
        self.returncode = None
        self.stdout = None
        if not got.get("running"):
            self._end(got)

    def _end(self, got):
        self._collected = True
        self.returncode = got["code"]
        self._out = got["out"] if self._text else got["out"].encode()
        self.stdout = _Stream(self._out)
        self.stderr = _Stream(self._out[:0])

    def communicate(self, *input, **kw):
        if not self._collected:
            self._end(ask("program", "wait", _argv(self.args)))
        return (self._out, self._out[:0])

    def wait(self, **kw):
        self.communicate()
        return self.returncode

    def poll(self):
        return self.returncode

    def terminate(self):
        if not self._collected:
            self._end(ask("program", "stop", _argv(self.args)))

    kill = terminate

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.wait()
        return False


class CompletedProcess:
    def __init__(self, args, returncode, stdout, stderr):
        self.args = args
        self.returncode = returncode
        self.stdout = stdout
        self.stderr = stderr


def run(args, **kw):
    check = kw.pop("check", False)
    program = Popen(args, **kw)
    out, err = program.communicate()
    if check and program.returncode != 0:
        raise CalledProcessError(program.returncode, args)
    return CompletedProcess(args, program.returncode, out, err)


def call(args, **kw):
    return run(args, **kw).returncode


def check_call(args, **kw):
    return run(args, check=True, **kw).returncode


def check_output(args, **kw):
    return run(args, check=True, **kw).stdout
