# What grade scripts use of `os`. There is no file system but the files that the script was given.
devnull = "/dev/null"
environ = {}
linesep = "\n"
sep = "/"


def getcwd():
    return "/"


def getuid():
    return 0


def getpid():
    return 1


class path:
    @staticmethod
    def exists(name):
        try:
            open(name).close()
            return True
        except OSError:
            return False

    isfile = exists

    @staticmethod
    def join(*parts):
        return "/".join(parts)

    @staticmethod
    def basename(name):
        return name.split("/")[-1]
