# Python's `re`, as far as grade scripts go; src/grade/pythonRegex.ts does the work.
from gradehost import ask

A = ASCII = 256
I = IGNORECASE = 2
M = MULTILINE = 8
S = DOTALL = 16
X = VERBOSE = 64


class error(Exception):
    pass


class Match:
    def __init__(self, found, text, pattern):
        self._groups = found["groups"]
        self._spans = found["spans"]
        self._names = found["names"]
        self.string = text
        self.re = pattern

    def _number(self, n):
        if isinstance(n, str):
            if n not in self._names:
                raise IndexError("no such group")
            n = self._names[n]
        if n < 0 or n >= len(self._groups):
            raise IndexError("no such group")
        return n

    def group(self, *numbers):
        if len(numbers) == 0:
            return self._groups[0]
        if len(numbers) == 1:
            return self._groups[self._number(numbers[0])]
        return tuple(self._groups[self._number(n)] for n in numbers)

    def __getitem__(self, n):
        return self.group(n)

    def groups(self, default=None):
        return tuple(default if g is None else g for g in self._groups[1:])

    def groupdict(self, default=None):
        return {name: default if self._groups[n] is None else self._groups[n] for name, n in self._names.items()}

    def start(self, n=0):
        return self._spans[self._number(n)][0]

    def end(self, n=0):
        return self._spans[self._number(n)][1]

    def span(self, n=0):
        return tuple(self._spans[self._number(n)])


def _find(operation, pattern, text, flags):
    if isinstance(pattern, Pattern):
        flags = pattern.flags
        pattern = pattern.pattern
    if not isinstance(text, str):
        raise TypeError("expected string or bytes-like object")
    got = ask("regex", operation, pattern, flags, text)
    if "error" in got:
        raise error(got["error"])
    return [Match(found, text, pattern) for found in got["found"]]


def _one(operation, pattern, text, flags):
    found = _find(operation, pattern, text, flags)
    return found[0] if found else None


def match(pattern, string, flags=0):
    return _one("match", pattern, string, flags)


def fullmatch(pattern, string, flags=0):
    return _one("fullmatch", pattern, string, flags)


def search(pattern, string, flags=0):
    return _one("search", pattern, string, flags)


def finditer(pattern, string, flags=0):
    return iter(_find("findall", pattern, string, flags))


def findall(pattern, string, flags=0):
    out = []
    for m in _find("findall", pattern, string, flags):
        groups = m.groups("")
        out.append(m.group(0) if len(groups) == 0 else groups[0] if len(groups) == 1 else groups)
    return out


def split(pattern, string, maxsplit=0, flags=0):
    out = []
    at = 0
    for n, m in enumerate(_find("findall", pattern, string, flags)):
        if maxsplit and n >= maxsplit:
            break
        out.append(string[at : m.start()])
        out.extend(m.groups())
        at = m.end()
    out.append(string[at:])
    return out


_letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_escapes = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "a": "\a", "f": "\f", "v": "\v"}


def _expand(template, m):
    out = ""
    i = 0
    while i < len(template):
        c = template[i]
        i += 1
        if c != "\\" or i >= len(template):
            out += c
            continue
        n = template[i]
        i += 1
        if n in "0123456789":
            while i < len(template) and template[i] in "0123456789" and len(n) < 2:
                n += template[i]
                i += 1
            out += m.group(int(n)) or ""
        elif n == "g" and template[i : i + 1] == "<":
            end = template.index(">", i)
            name = template[i + 1 : end]
            out += m.group(int(name) if name[0] in "0123456789" else name) or ""
            i = end + 1
        elif n in _escapes:
            out += _escapes[n]
        elif n in _letters:
            raise error("bad escape \\" + n)
        else:
            out += "\\" + n
    return out


def subn(pattern, repl, string, count=0, flags=0):
    out = ""
    at = 0
    n = 0
    for m in _find("findall", pattern, string, flags):
        if count and n >= count:
            break
        n += 1
        out += string[at : m.start()] + (_expand(repl, m) if isinstance(repl, str) else repl(m))
        at = m.end()
    return (out + string[at:], n)


def sub(pattern, repl, string, count=0, flags=0):
    return subn(pattern, repl, string, count, flags)[0]


def escape(pattern):
    out = ""
    for c in pattern:
        out += "\\" + c if c in "()[]{}?*+-|^$\\.&~# \t\n\r\v\f" else c
    return out


class Pattern:
    def __init__(self, pattern, flags):
        self.pattern = pattern
        self.flags = flags

    def match(self, string):
        return match(self, string)

    def fullmatch(self, string):
        return fullmatch(self, string)

    def search(self, string):
        return search(self, string)

    def findall(self, string):
        return findall(self, string)

    def finditer(self, string):
        return finditer(self, string)

    def split(self, string, maxsplit=0):
        return split(self, string, maxsplit)

    def sub(self, repl, string, count=0):
        return sub(self, repl, string, count)

    def subn(self, repl, string, count=0):
        return subn(self, repl, string, count)


def compile(pattern, flags=0):
    return pattern if isinstance(pattern, Pattern) else Pattern(pattern, flags)
