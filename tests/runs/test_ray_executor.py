"""The Ray executor on a local cluster of two CPUs: the bytes of the local executor, and no loss when a worker dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from copycat_doubles import MODEL, FakeModel
from harness import Cli, Doubles
from plan_builders import SPEC, changed, plan_of
from run_folders import folder_of, lines_of, samples_of, tree, without_seconds

from copycat import errors
from copycat.errors import BugError, UnsupportedError, UserError
from copycat.models import ModelRow
from copycat.runs import ray_cluster, ray_executor, runner
from copycat.runs.executors import DrawnBatch, LocalExecutor
from copycat.runs.folder import RunFolder
from copycat.runs.machine import n_cores
from copycat.runs.ray_cluster import Share, join_cluster, share_of_a_worker
from copycat.runs.ray_executor import AHEAD, MAX_TRIES, RayExecutor
from copycat.runs.ray_worker import Refusal, Setting
from copycat.runs.runner import Plan
from copycat.schema import CharacterSet

ray = pytest.importorskip("ray", reason="ray is not installed: pip install 'copycat[ray]'")
pytestmark = pytest.mark.slow  # a Ray cluster starts and ends in nearly every test

N_CPUS = 2
PATIENCE_SECONDS = 30.0

PLUGIN = """\
import os, signal, time
from pathlib import Path

from copycat.errors import DataError
from copycat_doubles import FakeModel

class BadWeights(FakeModel):
    def prepare(self, requests, sampling):
        raise DataError(["weights.safetensors: not a safetensors file"], "  get it again")

class Fatal(FakeModel):
    '''Dies of the prompts that hold the word in FATAL, as often as the file of that name has letters.'''
    def generate(self, requests, sampling):
        deaths = Path(__file__).with_name("deaths")
        if any("goofy" in request.prompt_id for request in requests) and (left := deaths.read_text()):
            deaths.write_text(left[1:])
            os.kill(os.getpid(), signal.SIGKILL)
        return super().generate(requests, sampling)

class Together(FakeModel):
    '''Draws only when two workers have something to draw.'''
    def generate(self, requests, sampling):
        here = Path(__file__).with_name("here")
        here.mkdir(exist_ok=True)
        (here / str(os.getpid())).touch()
        for _ in range(1000):
            if len(list(here.iterdir())) > 1:
                return super().generate(requests, sampling)
            time.sleep(0.06)
        raise AssertionError("nobody came")

class Broken(FakeModel):
    def generate(self, requests, sampling):
        return [][0]
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """Started by our own code, and shut down by it."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as exits:
        patch.delenv("RAY_ADDRESS", raising=False)
        patch.setenv("RAY_AUTH_TOKEN", "0" * 64)
        patch.setattr(ray_cluster, "n_cores", lambda: N_CPUS)
        join_cluster(exits)
        (node,) = ray.nodes()
        folder = Path(node["RayletSocketName"]).parents[2]
        assert folder.name.startswith("copycat-ray-")
        yield
        exits.close()
        assert not ray.is_initialized()
        assert not folder.exists()


@pytest.fixture(autouse=True)
def two_workers(cluster: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread for each worker, so that the two CPUs make two workers."""
    import torch

    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)


@pytest.fixture
def plan(characters: CharacterSet) -> Plan:
    """Twelve requests in six batches of two; the first, the second, the seventh and the eighth are of Goofy."""
    return plan_of(characters, changed(SPEC, batch_size=2))


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "run")


@pytest.fixture
def executor(doubles: Doubles) -> Iterator[Callable[..., RayExecutor]]:
    """Build executors; they are closed in the end."""
    built: list[RayExecutor] = []

    def build(row: ModelRow = MODEL, device: str = "cpu") -> RayExecutor:
        built.append(RayExecutor(row, device))
        return built[-1]

    yield build
    for one in built:
        one.close()


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., ModelRow]:
    """A package that only this process was told of, with models that end badly."""
    here = tmp_path / "plugin"
    here.mkdir()
    (here / "ray_plugin.py").write_text(PLUGIN, encoding="utf-8")
    monkeypatch.syspath_prepend(str(here))

    def row(name: str, deaths: int = 0) -> ModelRow:
        (here / "deaths").write_text("x" * deaths, encoding="utf-8")
        return MODEL.model_copy(update={"target": f"ray_plugin:{name}"})

    return row


def silent(count: int) -> None:
    del count


def locally(plan: Plan, folder: RunFolder) -> dict[str, bytes]:
    runner.generate(plan, folder, LocalExecutor(FakeModel(), overlaps=False), silent)
    return pictures_of(folder)


def pictures_of(folder: RunFolder) -> dict[str, bytes]:
    return {name: content for name, content in tree(folder.path).items() if name.startswith("images/")}


def processes(executor: RayExecutor) -> list[int]:
    return [hand.report.pid for hand in executor.hands if hand.report is not None]


def is_gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


# ------------------------------------------------------------------------------ the same answer


def test_the_command_gives_the_bytes_of_the_local_executor(run: Cli, tmp_path: Path) -> None:
    options = ("--mitigation", "negprompt:name", "--batch-size", 2)
    local = run(*options, "--out", "local")
    on_ray = run(*options, "--out", "on-ray", "--executor", "ray")
    assert (local.code, on_ray.code) == (0, 0), on_ray.err
    assert on_ray.out.replace("on-ray", "local") == local.out
    for mitigation in ("none", "negprompt*"):
        here, there = folder_of(mitigation, "local"), folder_of(mitigation, "on-ray")
        ours, theirs = tree(there), tree(here)
        for one in (ours, theirs):
            one.pop("report.html"), one.pop("samples.jsonl")  # they hold seconds, and the command
        assert ours == theirs
        assert without_seconds(samples_of(there)) == without_seconds(samples_of(here))


def test_both_workers_draw_and_no_batch_is_drawn_twice(
    plan: Plan,
    folder: RunFolder,
    doubles: Doubles,
    executor: Callable[..., RayExecutor],
    plugin: Callable[..., ModelRow],
) -> None:
    two = executor(plugin("Together"))
    runner.generate(plan, folder, two, silent)
    assert len(set(processes(two))) == N_CPUS
    assert sorted(doubles.generated) == sorted(request.key for request in plan.requests)


def test_there_are_no_more_workers_than_batches(
    plan: Plan, doubles: Doubles, executor: Callable[..., RayExecutor]
) -> None:
    one = executor()
    batch = plan.requests[:2]
    (drawn,) = one.run([batch], plan.spec.sampling)
    assert drawn.batch == batch
    assert len(one.hands) == 1


def test_a_finished_run_starts_no_worker_and_a_half_finished_one_draws_the_rest(
    plan: Plan, folder: RunFolder, tmp_path: Path, doubles: Doubles, executor: Callable[..., RayExecutor]
) -> None:
    expected = locally(plan, RunFolder(tmp_path / "local"))
    doubles.forget()
    half = changed(plan.spec, limit=6)
    first, second, idle = executor(), executor(), executor()
    runner.generate(Plan(spec=half, requests=plan.requests[:6]), folder, first, silent)
    assert len(doubles.generated) == 6
    first.close()
    told: list[int] = []
    runner.generate(plan, folder, second, told.append)
    assert sorted(doubles.generated) == sorted(request.key for request in plan.requests)
    assert pictures_of(folder) == expected
    assert told == [6, 2, 2, 2]
    runner.generate(plan, folder, idle, told.append)
    assert (told[-1], idle.hands) == (12, [])


def test_progress_is_told_batch_by_batch(
    plan: Plan, folder: RunFolder, executor: Callable[..., RayExecutor], doubles: Doubles
) -> None:
    told: list[int] = []
    runner.generate(plan, folder, executor(), told.append)
    assert told == [0, 2, 2, 2, 2, 2, 2]


# ------------------------------------------------------------------------------ workers that die


def test_a_worker_killed_in_the_middle_loses_nothing_and_repeats_nothing_that_is_journaled(
    plan: Plan,
    folder: RunFolder,
    doubles: Doubles,
    executor: Callable[..., RayExecutor],
    capsys: pytest.CaptureFixture[str],
) -> None:
    expected = locally(plan, RunFolder(folder.path / "local"))
    doubles.forget()
    doubles.switch(seconds=0.3)
    two = executor()
    killed: list[int] = []
    journaled: list[set[str]] = []

    def kill_one(count: int) -> None:
        if count and not killed:
            journaled.append({line["key"] for line in lines_of(folder.samples_path)})
            killed.append(processes(two)[0])
            os.kill(killed[0], signal.SIGKILL)

    samples = runner.generate(plan, folder, two, kill_one)
    assert {sample.status for sample in samples} == {"ok"}
    assert pictures_of(folder) == expected
    assert [line["key"] for line in lines_of(folder.samples_path)] == [request.key for request in plan.requests]
    assert all(doubles.generated.count(key) == 1 for key in journaled[0])
    assert len(doubles.generated) - len(plan.requests) <= AHEAD * plan.spec.batch_size
    assert killed[0] not in processes(two)
    assert capsys.readouterr().out == ""


def test_a_batch_that_two_workers_died_of_is_drawn_by_a_third(
    plan: Plan, folder: RunFolder, executor: Callable[..., RayExecutor], plugin: Callable[..., ModelRow]
) -> None:
    samples = runner.generate(plan, folder, executor(plugin("Fatal", deaths=MAX_TRIES - 1)), silent)
    assert {sample.status for sample in samples} == {"ok"}


def test_a_batch_that_every_worker_dies_of_fails_and_the_others_are_drawn(
    characters: CharacterSet,
    folder: RunFolder,
    executor: Callable[..., RayExecutor],
    plugin: Callable[..., ModelRow],
) -> None:
    plan = plan_of(characters, changed(SPEC, batch_size=2, seeds=1))
    samples = runner.generate(plan, folder, executor(plugin("Fatal", deaths=99)), silent)
    failed = [sample for sample in samples if sample.status == "failed"]
    assert [sample.character for sample in failed] == ["goofy", "goofy"]
    assert all(f"{MAX_TRIES} workers died" in sample.detail for sample in failed)


def test_workers_that_all_die_end_the_run_with_the_reason(
    plan: Plan,
    executor: Callable[..., RayExecutor],
    plugin: Callable[..., ModelRow],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ray_executor, "MAX_TRIES", 1)
    one = executor(plugin("Fatal", deaths=99))
    only_goofy = [request for request in plan.requests if request.character == "goofy"] * 4
    with pytest.raises(
        UserError, match=r"2 workers died one after the other: Worker unexpectedly exits .*\n  often memory"
    ):
        list(one.run([(request,) for request in only_goofy], plan.spec.sampling))


# ------------------------------------------------------------------------------ errors of the model


def test_pictures_that_the_model_fails_at_are_failed(
    plan: Plan,
    folder: RunFolder,
    doubles: Doubles,
    executor: Callable[..., RayExecutor],
    caplog: pytest.LogCaptureFixture,
) -> None:
    doubles.switch(ends={"": "failed"})
    samples = runner.generate(plan, folder, executor(), silent)
    assert {(sample.status, sample.detail) for sample in samples} == {("failed", "the fake model fell over")}
    assert caplog.messages.count("the fake model fell over") == 6


def test_a_mistake_of_the_user_arrives_as_the_error_that_it_was(
    plan: Plan, folder: RunFolder, executor: Callable[..., RayExecutor], plugin: Callable[..., ModelRow]
) -> None:
    with pytest.raises(errors.DataError) as caught:
        runner.generate(plan, folder, executor(plugin("BadWeights")), silent)
    assert str(caught.value) == "weights.safetensors: not a safetensors file\n  get it again"


def test_a_plug_in_that_does_not_load_is_told_without_a_traceback(
    plan: Plan, folder: RunFolder, executor: Callable[..., RayExecutor]
) -> None:
    row = MODEL.model_copy(update={"target": "copycat_doubles:NoSuchModel"})
    with pytest.raises(UserError) as caught:
        runner.generate(plan, folder, executor(row), silent)
    assert str(caught.value).startswith("model 'fake' cannot be loaded from 'copycat_doubles:NoSuchModel'")
    assert "Traceback" not in str(caught.value)


def test_a_bug_shows_where_it_happened(
    plan: Plan, folder: RunFolder, executor: Callable[..., RayExecutor], plugin: Callable[..., ModelRow]
) -> None:
    with pytest.raises(IndexError, match=r"ray_plugin\.py"):
        runner.generate(plan, folder, executor(plugin("Broken")), silent)


@pytest.mark.parametrize(
    "error",
    [errors.UnknownNameError("model", "x", ["y"]), errors.DataError(["a", "b"]), errors.BackendError("no")],
    ids=lambda error: type(error).__name__,
)
def test_an_error_keeps_its_class_and_its_text_on_the_way(error: errors.CopycatError) -> None:
    arrived = Refusal.of(error).as_error()
    assert (type(arrived), str(arrived)) == (type(error), str(error))


def test_an_error_of_a_plug_in_arrives_as_the_nearest_of_ours() -> None:
    class PluginError(UnsupportedError):
        pass

    assert type(Refusal.of(PluginError("no")).as_error()) is UnsupportedError
    with pytest.raises(BugError):
        Refusal.of(BugError("broken"))


# ------------------------------------------------------------------------------ stopping


def test_what_has_come_in_when_the_caller_stops_is_not_lost(
    plan: Plan, doubles: Doubles, executor: Callable[..., RayExecutor]
) -> None:
    late: list[DrawnBatch] = []
    batches = [(request,) for request in plan.requests]
    one = executor()
    drawing = one.run(batches, plan.spec.sampling, late.append)
    taken = [next(drawing)]
    # A worker does one thing after the other: it answers when the batches that it has in hand are finished.
    ray.get([hand.actor.__ray_ready__.remote() for hand in one.hands], timeout=60)
    drawing.close()
    assert len(taken) + len(late) == len(doubles.generated)
    assert 1 < len(taken) + len(late) <= 1 + N_CPUS * AHEAD


def test_closing_ends_the_workers(plan: Plan, doubles: Doubles, executor: Callable[..., RayExecutor]) -> None:
    one = executor()
    list(one.run([plan.requests[:2]], plan.spec.sampling))
    (process,) = processes(one)
    one.close()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_gone(process):
        assert time.monotonic() < deadline, "the worker goes on"
        time.sleep(0.05)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_run_on_the_cluster_at_ray_address_and_what_is_finished_is_kept(
    tmp_path: Path, characters_file: Path, doubles: Doubles, number: signal.Signals, code: int
) -> None:
    doubles.switch(seconds=0.2)
    command = [sys.executable, "-m", "copycat.eval", "--model", "fake", "--judge", "fake-judge", "--device", "cpu"]
    command += ["--characters", str(characters_file), "--anchors", "name", "--seeds", "40", "--executor", "ray"]
    environment = doubles.environment() | {"RAY_ADDRESS": ray.get_runtime_context().gcs_address}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not list(tmp_path.glob("runs/*/images/*.png")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    _, complaints = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == code, complaints
    assert "everything finished is kept" in complaints
    assert "Traceback" not in complaints
    assert "SIGTERM" not in complaints  # no dump of Ray's
    assert 0 < len(samples_of(folder_of("none", tmp_path / "runs"))) < 120


# ------------------------------------------------------------------------------ what is refused


def test_without_ray_the_user_is_told_what_to_install(run: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    answer = run("--executor", "ray")
    assert answer.code == 2
    assert "pip install 'copycat[ray]'" in answer.err


@pytest.mark.parametrize("device", ["cuda:1", "mps"])
def test_a_device_that_ray_does_not_hand_out_is_refused(device: str) -> None:
    with pytest.raises(UnsupportedError, match=f"--device {device} names a device of this machine"):
        RayExecutor(MODEL, device)


def test_gpus_that_the_cluster_does_not_have_are_refused() -> None:
    with pytest.raises(UserError, match=r"no GPU: 1 nodes with 2 CPUs and 0 GPUs"):
        share_of_a_worker("cuda")


def test_a_worker_takes_as_many_cpus_as_torch_has_threads_here(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    assert share_of_a_worker("cpu") == Share(cpus=1, gpus=0, n_workers=2, threads=1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert share_of_a_worker("cpu") == Share(cpus=2, gpus=0, n_workers=1, threads=2)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    assert share_of_a_worker("cpu") == Share(cpus=2, gpus=0, n_workers=1, threads=8)


def test_a_gpu_makes_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = [{"Alive": alive, "Resources": {"CPU": 8.0, "GPU": 4.0}} for alive in (True, True, False)]
    monkeypatch.setattr(ray, "nodes", lambda: nodes)
    assert share_of_a_worker("cuda") == Share(cpus=0, gpus=1, n_workers=8, threads=None)


def test_torch_in_a_worker_has_the_threads_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COPYCAT_SOMETHING", "on")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    setting = Setting.of_this_process(2)  # Ray itself would give a task of one CPU one thread

    def measure(setting: Setting) -> tuple[int, str | None, str | None]:
        setting.take_over()
        import torch

        return torch.get_num_threads(), os.environ.get("COPYCAT_SOMETHING"), os.environ.get("HF_TOKEN")

    assert ray.get(ray.remote(measure).remote(setting)) == (min(2, n_cores()), "on", None)
    assert "HF_TOKEN" not in setting.variables


def test_a_worker_with_other_packages_or_another_device_is_refused(
    plan: Plan, executor: Callable[..., RayExecutor], monkeypatch: pytest.MonkeyPatch, doubles: Doubles
) -> None:
    def other(device: str) -> dict[str, str]:
        return {"torch": "1.0", "device": device}

    monkeypatch.setattr(ray_executor, "describe_environment", other)
    with pytest.raises(UserError, match=r"differs from this machine: .*torch \S+ there, 1\.0 here"):
        list(executor().run([plan.requests[:2]], plan.spec.sampling))


def test_an_address_where_no_cluster_answers_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with ExitStack() as exits, pytest.raises(UserError, match=r"no Ray cluster answers at RAY_ADDRESS=127\.0\.0\.1:1"):
        join_cluster(exits)
