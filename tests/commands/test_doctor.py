"""`python -m copycat.doctor` from end to end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from plan_builders import run_file
from typer.testing import CliRunner

from copycat.cli import app as whole
from copycat.commands.doctor import app, layout
from copycat.doctor import facts as facts_module
from copycat.doctor.records import Finding, Weights
from copycat.runs.folder import RunFolder

ROOT = Path(__file__).parents[2]
SECRETS = {
    "HF_TOKEN": "hf_secretsecret",
    "OPENAI_API_KEY": "sk-secretsecret",
    "OPENAI_BASE_URL": "http://user:pass-secret@127.0.0.1:9/v1?key=query-secret",
    "RAY_ADDRESS": "ray://ray-secret:10001",
}
NEVER_SHOWN = ("hf_secretsecret", "secretsecret", "pass-secret", "query-secret", "ray-secret")


def run(*options: str, app: object = app) -> tuple[int, str]:
    answer = CliRunner().invoke(app, list(options), standalone_mode=False)  # type: ignore[arg-type]
    if answer.exception:
        raise answer.exception
    return int(answer.return_value), answer.output


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in SECRETS:
        monkeypatch.delenv(name, raising=False)


def test_a_good_installation_ends_with_0_and_the_command_to_type(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = run("--offline")
    assert code == 0
    assert out.endswith("  python -m copycat.eval --model sandbox --mitigation negprompt\n")
    assert out.isascii()


def test_damaged_weights_end_with_2_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = (Weights(name="pipeline", fingerprint=None, is_as_shipped=False, fault="model.safetensors is not there"),)
    monkeypatch.setattr(facts_module, "check_weights", lambda: broken)
    code, out = run("--offline")
    assert code == 2
    assert "missing  pipeline: model.safetensors is not there" in out
    assert "The main job on the sandbox cannot run here. To do:\n  install copycat again" in out


@pytest.mark.parametrize("options", [("--json",), ()], ids=["json", "text"])
def test_no_value_of_a_key_is_shown(monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    _, out = run(*options)
    assert all(name in out for name in SECRETS)
    assert "127.0.0.1:9" in out
    assert not [secret for secret in NEVER_SHOWN if secret in out]


def test_json_is_one_object_with_facts_and_findings() -> None:
    code, out = run("--offline", "--json")
    found = json.loads(out)
    assert code == 0
    assert set(found) == {"can_run_sandbox", "findings", "facts"}
    assert found["can_run_sandbox"] is True
    assert found["facts"]["hub"]["is_asked"] is False


def test_runs_that_were_broken_off_are_found() -> None:
    RunFolder(Path("out/one")).write_run(run_file(status="running"))
    RunFolder(Path("out/two")).write_run(run_file(status="finished"))
    _, out = run("--offline", "--out", "out")
    assert "out/one: 0 pictures made" in out
    assert "out/two" not in out


def test_the_console_script_has_it_too() -> None:
    code, out = run("doctor", "--offline", app=whole)
    assert code == 0
    assert "packages" in out


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    text = "a rather long list of words and numbers such as torch 2.14.1, " * 5
    found = Finding(section="packages", mark="missing", text=text, fix=text, is_needed=False)
    lines = [line for line, _ in layout([found], width)]
    assert max(len(line) for line in lines) <= width
    assert not [line for line in lines if line.endswith("torch")]


def test_help_imports_no_heavy_library() -> None:
    script = (
        "import sys; from copycat.commands.doctor import app\n"
        "sys.argv = ['doctor', '--help']\n"
        "try: app()\n"
        "except SystemExit: pass\n"
        "print('heavy:', *{'torch', 'diffusers', 'transformers', 'openai', 'huggingface_hub'} & set(sys.modules))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "heavy:"
