"""Starts the dashboard (standalone Voila) or JupyterLab on this machine, and says when it can be opened."""

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from lumbar_utils.dataset import LumbarError
from lumbar_utils.paths import PACKAGE

CHECKOUT = PACKAGE.parent
NOTEBOOK = CHECKOUT / "notebooks" / "20_dashboard.ipynb"
TEMPLATE = Path(__file__).resolve().parent / "template"

MEBIBYTE = 2**20
# All settings of the website; Voila's own configuration files are not read.
SETTINGS = {
    "Voila": {
        "open_browser": False,
        "port_retries": 0,  # a taken port is an error, not another address
        "config_file_paths": [],
        "log_level": "ERROR",
        # an upload is one message; the panel itself refuses files above 20 MB with a sentence
        "tornado_settings": {"websocket_max_message_size": 64 * MEBIBYTE},
    },
    "VoilaConfiguration": {
        "template": "lab",  # with our own folder in front, see `setup_template_dirs`
        "theme": "light",
        "allow_template_override": "NO",
        "allow_theme_override": "NO",
        "strip_sources": True,
        "show_tracebacks": False,
        "file_allowlist": [],  # the page holds all it needs: no file of the checkout is served
        # other extensions of JupyterLab would only slow the page down
        "extension_allowlist": [
            "@jupyter-widgets/jupyterlab-manager",
            "@voila-dashboards/widgets-manager7",
            "@voila-dashboards/widgets-manager8",
            "jupyterlab-plotly",
        ],
        "preheat_kernel": True,
        "default_pool_size": 1,
    },
    "KernelManager": {"transport_encryption": "auto"},
    "VoilaExecutor": {"timeout": 120},
    "VoilaKernelManager": {"fill_delay": 6},  # the visitor's page comes before the next visitor's kernel
    "MappingKernelManager": {"cull_idle_timeout": 900, "cull_interval": 60, "cull_connected": False},
    # a dragged slider may send more than the 1 MB a second after which messages would be dropped
    "ZMQChannelsWebsocketConnection": {"limit_rate": False},
}


# What a visitor's kernel gets of the server's environment. Voila passes on no code of a visitor's; still, passwords and
# keys that the server was started with have no business there.
KERNEL_SEES = {
    "HOME", "LANG", "LANGUAGE", "LOGNAME", "PATH", "PYTHONPATH", "SHELL", "TEMP", "TMP", "TMPDIR", "TZ", "USER",
    "VIRTUAL_ENV", "LD_LIBRARY_PATH", "SYSTEMROOT", "SYSTEMDRIVE", "COMSPEC", "PATHEXT", "APPDATA", "LOCALAPPDATA",
    "USERPROFILE", "NUMBER_OF_PROCESSORS",
}  # fmt: skip
KERNEL_SEES_ALL_OF = ("LC_", "LUMBAR_", "VOILA_", "XDG_", "CONDA_PREFIX", "OMP_", "OPENBLAS_")
TOKEN = (
    "LUMBAR_TOKEN"  # in the environment, since every user of a machine can read the arguments of a process
)


def dashboard(host: str = "127.0.0.1", port: int = 8866) -> None:
    """Serve the dashboard until Ctrl+C; its address is printed when the first page is ready to be shown.

    Where the environment holds `LUMBAR_TOKEN`, a visitor is asked for it (or brings it along as ?token=...).

    Raises
    ------
    LumbarError
        If the port is taken, the address is not this machine's, or the notebook is missing.
    """
    if not NOTEBOOK.is_file():
        raise LumbarError(
            f"{NOTEBOOK} is missing; run the dashboard from a checkout of the course, and "
            "`make notebooks` there if its notebooks folder is empty."
        )
    _require_free(host, port)
    print("Starting the dashboard ...", flush=True)
    token = os.environ.pop(TOKEN, "")
    if not token and host not in ("127.0.0.1", "localhost", "::1"):
        print(
            f"Whoever reaches {host}:{port} can use this computer; TOKEN=... asks for a token first.",
            flush=True,
        )
    _let_kernels_import_the_package()

    # Jupyter counts a websocket's ping interval in milliseconds and Tornado, which warns of it, in seconds
    logging.getLogger("tornado.general").setLevel("ERROR")

    from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
    from tornado.ioloop import PeriodicCallback
    from traitlets.config import Config
    from voila.app import Voila

    class QuietKernels(AsyncMappingKernelManager):
        async def start_kernel(self, **options):
            # what goes wrong in a kernel comes to the page's messages; its stderr holds LiteRT's greeting, and
            # the traceback of a kernel that is stopped while it works
            options["env"] = clean_environment(options.get("env") or os.environ)
            return await super().start_kernel(stderr=subprocess.DEVNULL, **options)

    class Dashboard(Voila):
        def setup_template_dirs(self):
            super().setup_template_dirs()
            self.template_paths = [str(TEMPLATE), *self.template_paths]

        def listen(self):
            asyncio.get_event_loop().create_task(self.announce())
            super().listen()

        async def announce(self):
            """Print the address, where kernels are preheated once the first of the pool has run the whole notebook."""
            # as Voila does for SIGTERM: a KeyboardInterrupt may hit a task in the loop and print its traceback
            signal.signal(signal.SIGINT, self._handle_signal_stop)
            PeriodicCallback(lambda: None, 500).start()  # on Windows a sleeping loop does not notice Ctrl+C
            try:
                if not self.voila_configuration.preheat_kernel:
                    return self.say_where()
                preheated = await self.kernel_manager._pools[self.kernel_manager.notebook_path][0]
                await asyncio.shield(preheated["task"])
            except Exception as error:  # whatever it was, the server must not stay up without a page
                print(f"The dashboard's kernel did not start: {error}", file=sys.stderr, flush=True)
                self.ioloop.stop()
            else:
                self.say_where()

        def say_where(self):
            asked = "and give the token " if token else ""
            print(f"open http://{host}:{port}/ {asked}; Ctrl+C stops it", flush=True)

    app = Dashboard(config=Config(SETTINGS), notebook_path=str(NOTEBOOK), ip=host, port=port, token=token)
    app.initialize([])
    app.voila_configuration.multi_kernel_manager_class = QuietKernels
    app.start()


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of `environment` that a visitor's kernel may know, by `KERNEL_SEES`."""
    return {
        name: value
        for name, value in environment.items()
        if name.upper() in KERNEL_SEES or name.startswith(KERNEL_SEES_ALL_OF)
    }


def lab(port: int = 8888) -> None:
    """Open the checkout in JupyterLab, at its notebooks; raises `LumbarError` if the port is taken."""
    _require_free("127.0.0.1", port)
    _let_kernels_import_the_package()

    from jupyterlab.labapp import LabApp

    LabApp.launch_instance(
        [
            "--ip=127.0.0.1",
            f"--port={port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={CHECKOUT}",
            "--LabApp.default_url=/lab/tree/notebooks",
        ]
    )


def _require_free(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        if sys.platform == "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            raise LumbarError(
                f"Port {port} of {host} cannot be used ({_reason(error)}); "
                f"stop what runs there or give another one, for instance PORT={_another(port)}."
            ) from error


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _another(port: int) -> int:
    return port + 1 if 1024 <= port < 65535 else 8866


def _let_kernels_import_the_package() -> None:
    """Put the checkout on the path of the kernels, so that the course runs without being installed."""
    known = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(CHECKOUT) if not known else os.pathsep.join([str(CHECKOUT), known])
