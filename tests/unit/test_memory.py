import subprocess
import sys

import pytest

# blocks of 4 MB between small ones that stay: freed, they leave holes that the heap does not give back by itself
HOLES = """
import sys
import numpy as np
from lumbar_utils.dashboard.memory import return_freed_memory
if sys.argv[1] == "on":
    return_freed_memory()
np.ones(30 * 2**17)
small, large = [], []
for _ in range(25):
    large.append(np.ones(2**19))
    small.append(bytearray(5000))
large.clear()
status = open("/proc/self/status").read()
print(int(status.split("VmRSS:")[1].split()[0]) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc only")
def test_freed_blocks_go_back_to_the_system():
    kept, returned = (
        int(
            subprocess.run(
                [sys.executable, "-c", HOLES, way], capture_output=True, text=True, check=True
            ).stdout
        )
        for way in ("off", "on")
    )
    assert returned < kept - 60, f"{returned} MB after freeing 100 MB, {kept} MB without"
