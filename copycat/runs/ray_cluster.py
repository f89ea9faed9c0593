"""A Ray cluster: the one that RAY_ADDRESS names, or one of this machine alone, started for the run."""

from __future__ import annotations

import importlib
import logging
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from copycat.errors import MissingExtraError, UnsupportedError, UserError
from copycat.runs.interrupts import deferred_interrupt
from copycat.runs.machine import n_cores

ADDRESS, TOKEN = "RAY_ADDRESS", "RAY_AUTH_TOKEN"
SHORT_FOLDER = Path("/tmp")  # noqa: S108 - Ray's socket paths must stay below 108 characters, TMPDIR may be long
ANSWER_SECONDS = 10.0
CANNOT_START = (ConnectionError, OSError, RuntimeError, TimeoutError, ValueError)
"""What ray.init raises when it finds or starts no cluster."""


class Share(NamedTuple):
    """What one worker takes of the cluster, how many workers it has room for, and torch's threads in each.

    `threads` is None where another device draws.
    """

    cpus: int
    gpus: int
    n_workers: int
    threads: int | None


def import_ray() -> Any:  # Any: ray.remote has no useful types
    """Import ray.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError(
            "--executor ray needs the package ray, which is not installed\n  pip install 'copycat[ray]'"
        ) from error
    return ray


def join_cluster(exits: ExitStack) -> None:
    """Connect to the cluster; one that was started here ends with `exits`.

    Raises:
        UserError: no cluster answers, or none can be started.
    """
    ray = import_ray()
    if ray.is_initialized():  # by the program that uses copycat as a library
        return
    address = os.environ.get(ADDRESS)
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address:
        _require_answer(address)
    else:
        # A folder of our own: Ray's default may be another user's, and what lies in ours can go in the end.
        base = os.environ.get("RAY_TMPDIR") or (SHORT_FOLDER if SHORT_FOLDER.is_dir() else tempfile.gettempdir())
        folder = tempfile.mkdtemp(prefix="copycat-ray-", dir=base)
        exits.callback(shutil.rmtree, folder, ignore_errors=True)
        os.environ.setdefault(TOKEN, secrets.token_hex(32))  # Ray would write one into the home folder, to stay there
        options |= {"include_dashboard": False, "num_cpus": n_cores(), "_temp_dir": folder}
    _restore_in_the_end(exits)
    exits.callback(ray.shutdown)
    try:
        with deferred_interrupt() as interrupt:  # half a cluster cannot be shut down
            ray.init(address=address or "local", **options)
            _tame()
        interrupt.check()
    except CANNOT_START as error:
        if address:
            raise _no_answer(address, error) from error
        raise UserError(
            f"Ray does not start on this machine\n  {type(error).__name__}: {first_line(error)}\n"
            "  leave out --executor ray to draw in this process"
        ) from error


def _tame() -> None:
    """Keep Ray's news of dead workers off stdout, which is for the answer, and have SIGTERM end the run tidily."""
    # No option reaches either: log_to_driver=False leaves the news on, and Ray's handler of SIGTERM aborts.
    importlib.import_module("ray._private.worker")._worker_logs_enabled = False  # type: ignore[attr-defined]
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


def _restore_in_the_end(exits: ExitStack) -> None:
    """Undo `_tame`."""
    worker: Any = importlib.import_module("ray._private.worker")
    exits.callback(setattr, worker, "_worker_logs_enabled", getattr(worker, "_worker_logs_enabled", True))
    if threading.current_thread() is threading.main_thread() and (before := signal.getsignal(signal.SIGTERM)):
        exits.callback(signal.signal, signal.SIGTERM, before)


def _require_answer(address: str) -> None:
    """Knock at the address: Ray itself would wait for an answer without end."""
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if not (colon and port.isdecimal()):  # such as 'auto'
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWER_SECONDS).close()
    except OSError as error:
        raise _no_answer(address, error) from error


def _no_answer(address: str, error: Exception) -> UserError:
    return UserError(
        f"no Ray cluster answers at {ADDRESS}={address}\n  {type(error).__name__}: {first_line(error)}\n"
        f"  start one with 'ray start --head', or unset {ADDRESS} to use this machine alone"
    )


def share_of_a_worker(device: str) -> Share:
    """Say how the cluster is divided: a GPU for each worker, or as many CPUs as torch would use in this process.

    With the same number of threads a worker's sums are those of the local executor, to the last digit.

    Raises:
        UserError: the cluster has nothing to draw on.
    """
    nodes = [node["Resources"] for node in import_ray().nodes() if node["Alive"]]
    if device == "cuda":
        n_gpus = sum(int(node.get("GPU", 0)) for node in nodes)
        if n_gpus == 0:
            raise UserError(f"the Ray cluster has no GPU: {_found(nodes)}\n  use --device cpu, or another cluster")
        return Share(0, 1, n_gpus, None)
    import torch

    threads = torch.get_num_threads()
    cpus = max(1, min(threads, max((int(node.get("CPU", 0)) for node in nodes), default=0)))
    n_workers = sum(int(node.get("CPU", 0)) // cpus for node in nodes)
    if n_workers == 0:
        raise UserError(f"the Ray cluster has no CPU to draw on: {_found(nodes)}\n  ray start --num-cpus N")
    return Share(cpus, 0, n_workers, threads)


def require_kind(device: str) -> None:
    """Refuse a device that Ray does not hand out.

    Raises:
        UnsupportedError: one GPU of this machine, or Apple's.
    """
    if device not in ("cpu", "cuda"):
        raise UnsupportedError(
            f"--device {device} names a device of this machine; Ray gives each worker one of its own\n"
            "  use --device cuda or --device cpu, or leave out --executor ray"
        )


def death_errors() -> tuple[type[Exception], ...]:
    """List how Ray says that a worker or its machine is gone, or that what it had drawn went with it."""
    from ray import exceptions

    return (
        exceptions.RayActorError,
        exceptions.WorkerCrashedError,
        exceptions.NodeDiedError,
        exceptions.OutOfMemoryError,
        exceptions.ObjectLostError,
    )


def first_line(error: BaseException) -> str:
    """Give the first line that says something."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "no reason given")


def cause_of_death(error: BaseException) -> str:
    """Give the part of Ray's long text that says why a worker is gone."""
    _, _, detail = str(error).partition("Worker exit detail: ")
    if detail:
        return detail.partition(" Some common causes")[0]
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]  # of a traceback, the last one
    return lines[-1] if lines else type(error).__name__


def _found(nodes: list[Mapping[str, float]]) -> str:
    cpus, gpus = (sum(int(node.get(kind, 0)) for node in nodes) for kind in ("CPU", "GPU"))
    return f"{len(nodes)} nodes with {cpus} CPUs and {gpus} GPUs"
