"""How bin/serve starts tensorflow_model_server, with a stand-in for it."""

import os
import stat
from pathlib import Path

import pytest
from google.protobuf import text_format

from tests.serving.programs import run
from tf_imgcomp.servers import tensorflow_serving, triton
from tf_imgcomp.servers.options import ServerOptions
from tf_imgcomp.serving import export
from tf_imgcomp_bin import serve

OPTIONS = ServerOptions(grpc_port=1500, http_port=1501, max_batch=4, max_queue=9)


@pytest.fixture
def program(tmp_path, monkeypatch):
    """The only program of its name that is found."""
    path = tmp_path / "bin" / tensorflow_serving.PROGRAM
    path.parent.mkdir()
    path.write_text("#!/bin/sh\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(path.parent), prepend=os.pathsep)
    return path


def written(arguments, name):
    """The text of the file that a flag of a command names."""
    (path,) = [
        each.split("=")[1] for each in arguments if each.startswith(f"--{name}=")
    ]
    return Path(path).read_text()


def test_the_server_gets_these_versions_of_the_models(tmp_path):
    configs = pytest.importorskip("tensorflow_serving.config.model_server_config_pb2")
    exports = [tmp_path / "fdram" / "3", tmp_path / "bpg+xue2019" / "12"]
    command = tensorflow_serving.command("server", exports, tmp_path, OPTIONS)
    text = written(command, "model_config_file")
    config = text_format.Parse(text, configs.ModelServerConfig()).model_config_list
    for each, folder in zip(config.config, exports):
        assert each.name == folder.parent.name
        assert each.base_path == str(folder.parent)
        assert each.model_version_policy.specific.versions == [int(folder.name)]
    assert len(config.config) == len(exports)
    assert {"--port=1500", "--rest_api_port=1501"} <= set(command)


def test_batches_are_as_large_as_the_options_say(tmp_path):
    command = tensorflow_serving.command("server", [], tmp_path, OPTIONS)
    text = written(command, "batching_parameters_file")
    assert "--enable_batching" in command
    assert "max_batch_size { value: 4 }\nbatch_timeout_micros { value: 2000 }\n" in text
    assert "max_enqueued_batches { value: 9 }\n" in text


def test_there_are_no_batches_of_one(tmp_path):
    options = ServerOptions(max_batch=1)
    command = tensorflow_serving.command("server", [], tmp_path, options)
    assert not any("batching" in argument for argument in command)


def test_bin_serve_becomes_the_server_if_it_is_installed(
    program, tmp_path, monkeypatch, capsys
):
    made, started = [], []

    def up_to_date(folder, output, pixels_max):
        made.append((folder.name, output, pixels_max))
        return output / folder.name / "1"

    monkeypatch.setattr(export, "up_to_date", up_to_date)
    monkeypatch.setattr(os, "execv", lambda path, command: started.append(command))
    output = tmp_path / "exports"
    flags = f"--exports={output}", "--max_megapixels=2", "--models=fdram,cheng2020"
    run(serve, *flags)
    assert made == [("fdram", output, 2_000_000), ("cheng2020", output, 2_000_000)]
    assert started[0][0] == str(program)
    told = (
        f"bin/serve: starting {program} with fdram, cheng2020 at tfs://localhost:8500"
    )
    assert told in capsys.readouterr().out


def test_without_a_server_both_are_named(monkeypatch, capsys):
    monkeypatch.setattr(tensorflow_serving, "find", lambda: None)
    monkeypatch.setattr(triton, "is_installed", lambda: False)
    assert run(serve) == 1
    message = (
        "neither tensorflow_model_server nor Triton is installed: install tf_imgcomp"
    )
    assert message in capsys.readouterr().err
