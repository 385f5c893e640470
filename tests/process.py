"""Python in a process of its own, for what happens once: at import."""

import os
import subprocess
import sys
import tempfile


def run(code, **environment):
    """Run Python code in a process of its own, away from the sources: an installed ne_torch needs none."""
    environment = {**os.environ, **environment}
    command, home = [sys.executable, "-c", code], tempfile.gettempdir()
    return subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, timeout=60)
