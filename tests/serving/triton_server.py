"""bin/serve with Triton, in a process of its own."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

READY = 900  # Seconds that a server may take to start on a busy machine.


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Triton:
    """A server.

    Args:
        models_folder: folder of models, all of which are served.
        exports: folder of their exports.
        pixels_max: limit of the exports.
    """

    def __init__(self, models_folder, exports, pixels_max):
        self.ports = free_ports(3)
        names = ("grpc_port", "http_port", "metrics_port")
        models = ",".join(map(str, models_folder.iterdir()))
        self._command = [
            *(sys.executable, "-m", "tf_imgcomp_bin.serve"),
            *(
                f"--models={models}",
                f"--exports={exports}",
                f"--max_megapixels={pixels_max / 1e6}",
            ),
            *(f"--{name}={port}" for name, port in zip(names, self.ports)),
        ]
        self.start()

    @property
    def url(self):
        return f"kserve://127.0.0.1:{self.ports[0]}"

    @property
    def is_running(self):
        return self.process.poll() is None

    def start(self):
        self.process = subprocess.Popen(
            self._command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines = []
        ready = threading.Event()
        threading.Thread(target=self._read, args=(ready,), daemon=True).start()
        if not ready.wait(READY) or not self.is_running:
            self.kill()
            raise AssertionError("".join(self.lines))

    def _read(self, ready):
        with self.process.stdout as lines:
            for line in lines:
                self.lines.append(line)
                if "ready at" in line:
                    ready.set()
        ready.set()

    def kill(self):
        """Ends all its processes at once."""
        with contextlib.suppress(ProcessLookupError):  # It has ended.
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """Asks it to end; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(READY)

    def memory(self):
        """Bytes of memory of all its processes together."""
        pages = 0
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # Of one that has ended.
                if os.getsid(int(folder.name)) == self.process.pid:
                    pages += int((folder / "statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
