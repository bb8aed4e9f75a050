"""The files that Hydra composes are found by their defaults lists; values that never count are no parameters."""

from __future__ import annotations

import pytest

from novum.adopt.adoption import _start
from novum.adopt.hydra_files import hydra_files
from novum.adopt.project import find_project
from novum.adopt.seed_place import find_seed

SCRIPT = """import hydra
@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(cfg):
    print("val loss:", cfg.optim.lr)
main()
"""
FILES = {
    "train.py": SCRIPT + "steps = 7\n",
    "conf/config.yaml": "defaults:\n  - optim: sgd\n  - optional model: small\n  - override hydra/job_logging: none\n"
    "  - _self_\nseed: 3\nsteps: 20\nmodel:\n  dropout: 0.2\n",
    "conf/optim/sgd.yaml": "defaults:\n  - base\nlr: 0.01\nmomentum: 0.9\n",
    "conf/optim/base.yaml": "weight_decay: 1e-4\n",
    "conf/optim/adam.yaml": "lr: 0.001\nbeta1: 0.9\n",
    "conf/model/small.yaml": "hidden: 32\ndropout: 0.1\n",
    "conf/experiment/wide.yaml": "# what was tried in May\n# @package _global_\nmodel:\n  hidden: 64\n",
}


def _project(folder, files, arguments=()):
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return find_project(folder / "train.py", arguments)


def _declared(project):
    return {f"{path}: {one.place}" for path, every in project.declared.items() for one in every}


def test_the_defaults_list_is_followed_with_the_package_of_each_file():
    assert hydra_files(FILES).packages == {
        "conf/config.yaml": "", "conf/optim/sgd.yaml": "optim", "conf/optim/base.yaml": "optim",
        "conf/model/small.yaml": "model",
    }  # fmt: skip


def test_choices_on_the_command_line_are_followed():
    found = hydra_files(FILES, ("optim=adam", "--multirun"))
    assert "conf/optim/adam.yaml" in found.packages
    assert "conf/optim/sgd.yaml" not in found.packages


def test_packages_may_be_named_in_the_list_or_in_the_file():
    files = {
        "src/train.py": SCRIPT.replace('"conf"', '"../conf"').replace("@hydra.main(version_base=None, config_path=",
                                                                      "@hydra.main(").replace("config_name=", ""),
        "conf/config.yaml": "defaults:\n  - optim@net.optim: sgd\n  - /optim@_global_: adam\n  - experiment: wide\n",
        **{path: text for path, text in FILES.items() if path.count("/") > 1},
    }  # fmt: skip
    found = hydra_files(files).packages
    assert found["conf/optim/sgd.yaml"] == "net.optim"
    assert found["conf/optim/adam.yaml"] == found["conf/experiment/wide.yaml"] == ""


def test_the_parameters_of_a_project_are_those_that_are_composed_and_not_set_again(tmp_path):
    found = _declared(_project(tmp_path, FILES))
    assert found >= {"conf/optim/sgd.yaml: lr", "conf/config.yaml: steps", "conf/config.yaml: model.dropout",
                     "train.py: steps"}  # fmt: skip
    assert not found & {"conf/optim/adam.yaml: lr", "conf/model/small.yaml: dropout"}
    first = FILES["conf/config.yaml"].replace("  - _self_\n", "").replace("defaults:\n", "defaults:\n  - _self_\n")
    assert "conf/model/small.yaml: dropout" in _declared(_project(tmp_path, {**FILES, "conf/config.yaml": first}))


def test_a_value_that_the_command_line_gives_is_no_parameter(tmp_path):
    project = _project(tmp_path, FILES, ("optim.lr=0.5", "+steps=7"))
    given = {f"{path}: {one.place}" for path, every in project.declared.items() for one in every
             if project.gives(one, path)}  # fmt: skip
    assert given == {"conf/optim/sgd.yaml: lr", "conf/config.yaml: steps"}


@pytest.mark.parametrize(("arguments", "last"), [((), "hydra.run.dir=outputs"), (("hydra.run.dir=x",),) * 2])
def test_every_run_writes_to_the_same_folder_and_gets_its_seed(tmp_path, arguments, last):
    project = _project(tmp_path, FILES, arguments)
    command, place = _start(project, find_seed(project.texts, project.declared))
    assert command[-1] == (last if isinstance(last, str) else last[0])
    assert place == "conf/config.yaml: seed"


@pytest.mark.parametrize(
    "text", ["defaults: 3\n", "- 1\n", "defaults:\n  - config\n", "a: [", "defaults:\n  - {a: }\n"]
)
def test_odd_configurations_do_no_harm(text):
    assert set(hydra_files({"train.py": SCRIPT, "conf/config.yaml": text}).packages) == {"conf/config.yaml"}
    assert not hydra_files({"train.py": "import hydra\n("}).used
