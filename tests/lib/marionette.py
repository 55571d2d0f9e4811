"""The remote protocol of Mozilla's programs, as far as a test needs it: run JavaScript within the program.

Frames are `length:json`; a command is [0, id, name, parameters], its answer [1, id, error, result].
"""
import json
import socket


class Marionette:
    def __init__(self, port, timeout=60):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.buffer, self.serial = b"", 0
        self._frame()  # the greeting
        self.command("WebDriver:NewSession", {})
        self.command("WebDriver:SetTimeouts", {"script": int(timeout * 1000)})
        self.command("Marionette:SetContext", {"value": "chrome"})

    def _frame(self):
        while b":" not in self.buffer:
            self._read()
        length, _, rest = self.buffer.partition(b":")
        self.buffer = rest
        while len(self.buffer) < int(length):
            self._read()
        frame, self.buffer = self.buffer[:int(length)], self.buffer[int(length):]
        return json.loads(frame)

    def _read(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the program hung up")
        self.buffer += data

    def command(self, name, parameters):
        self.serial += 1
        data = json.dumps([0, self.serial, name, parameters]).encode()
        self.socket.sendall(b"%d:%s" % (len(data), data))
        while True:
            _, serial, error, result = self._frame()
            if serial == self.serial:
                break
        if error:
            raise AssertionError(f"{name}: {error['error']}: {error['message']}\n{error.get('stacktrace', '')[:2000]}")
        return result

    def run(self, script, *arguments):
        """The value that the body of an async function returns; `args` holds the arguments."""
        wrapped = "const done = arguments[arguments.length - 1], args = Array.prototype.slice.call(arguments, 0, -1);\n" \
                  "(async () => {" + script + "})().then(value => done({value}),\n" \
                  " error => done({error: String(error) + '\\n' + error.stack}));"
        answer = self.command("WebDriver:ExecuteAsyncScript", {"script": wrapped, "args": list(arguments), "newSandbox": True})
        value = answer["value"]
        if "error" in value:
            raise AssertionError(value["error"])
        return value.get("value")

    def close(self):
        self.socket.close()
