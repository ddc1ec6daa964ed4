"""Files that other tools read agree with what the project says elsewhere."""

import re

import yaml

from tests.conftest import REPOSITORY


def read(name):
    return (REPOSITORY / name).read_text(encoding="utf-8")


def test_pre_commit_checks_with_the_pinned_ruff():
    repos = {
        repo["repo"].rsplit("/", 1)[-1]: repo["rev"]
        for repo in yaml.safe_load(read(".pre-commit-config.yaml"))["repos"]
    }
    (pinned,) = re.findall(r"^ruff==(.+)$", read("requirements/constraints.txt"), re.M)
    assert repos["ruff-pre-commit"] == f"v{pinned}"


def test_workflow_runs_the_gate_and_every_supported_python():
    jobs = yaml.safe_load(read(".github/workflows/test.yml"))["jobs"]
    assert {"run": ".ci/run"} in jobs["gate"]["steps"]
    lowest, highest = re.search(r"\(3, (\d+)\) <= sys.version_info\[:2\] <= \(3, (\d+)\)", read("Makefile")).groups()
    tested = {"3.11", *jobs["versions"]["strategy"]["matrix"]["python"]}
    assert tested == {f"3.{minor}" for minor in range(int(lowest), int(highest) + 1)}


def test_docker_installs_the_torch_of_the_makefile():
    (torch,) = re.findall(r"^TORCH \?= (.+)$", read("Makefile"), re.M)
    assert f"ARG TORCH={torch}\n" in read("docker/Dockerfile")


def test_citation_and_issue_forms_are_readable():
    citation = yaml.safe_load(read("CITATION.cff"))
    assert citation["cff-version"] and citation["license"] == "Apache-2.0" and citation["references"][0]["authors"]
    for file in (REPOSITORY / ".github" / "ISSUE_TEMPLATE").glob("*.yml"):
        form = yaml.safe_load(file.read_text(encoding="utf-8"))
        assert form["name"] and form["description"] and form["body"]
