# The one way from a script to the program that runs it: a line of JSON there, a line back.
import json

_device = open("/dev/xv6-lab", "r+b")


def ask(name, *args):
    _device.write((json.dumps([name] + list(args)) + "\n").encode())
    return json.loads(_device.read().decode())


class NotGraded(BaseException):
    """What a test needs is not here. No error of the script's, so that it cannot catch it as one."""
