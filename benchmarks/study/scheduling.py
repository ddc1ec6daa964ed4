"""Which trainings are still wanted, and running them side by side."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from .comparison import Records, final, paired, seeds_of
from .plan import BASELINE_OF, ROOT, Experiment, Run
from .records import Record, StudyError, require_same_trace


def wanted(experiment: Experiment, records: Records) -> list[Run]:
    """Runs that an experiment lacks, seed by seed, so that an interrupted study has whole pairs."""
    count = experiment.seeds
    if experiment.precision is not None:
        count = max(count, next_count(experiment, records))
    runs = [Run(split, arm, seed) for seed in range(count) for split in experiment.splits for arm in experiment.arms]
    return [run for run in runs if run not in records]


def next_count(experiment: Experiment, records: Records) -> int:
    """Seeds that the precision asks for: one more than there are while an interval is too wide, up to the limit."""
    split = experiment.splits[0]
    done = min(len(seeds_of(records, split, arm)) for arm in experiment.arms)
    widths = [
        paired(records, split, arm, final("full")).half_width for arm in experiment.arms if BASELINE_OF[arm] != arm
    ]
    return min(done + 1, experiment.most_seeds) if max(widths) > experiment.precision else done


@dataclass
class Queue:
    """Trains what experiments lack, several runs at a time, each in a process of its own.

    Args:
        scale: name of the trainings' size.
        experiments: in the order in which they are served.
        records: what is there; grows.
        records_folder: where records are written.
        work_dir: data sets and logs.
        jobs: processes at a time.
        commit: of this checkout; a record of another one must first be shown to train the same.
    """

    scale: str
    experiments: list[Experiment]
    records: Records
    records_folder: Path
    work_dir: Path
    jobs: int
    commit: str
    _in_flight: dict[Future, Run] = field(default_factory=dict)
    _checked: set[str] = field(default_factory=set)
    _checking: threading.Lock = field(default_factory=threading.Lock)

    def missing(self) -> list[Run]:
        """All runs that are wanted by now and not in flight."""
        flying, found = set(self._in_flight.values()), {}
        for experiment in self.experiments:
            found |= dict.fromkeys(run for run in wanted(experiment, self.records) if run not in flying)
        return list(found)

    def run(self, stop: Callable[[], bool] = lambda: False) -> Iterator[Record]:
        """Train until nothing is missing, or no new run may begin; yields each record when it is written."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
        )
        with Progress(*columns) as progress, ThreadPoolExecutor(self.jobs) as pool:
            bar = progress.add_task("study", total=None, left="")
            done, minutes = 0, [record.minutes for record in self.records.values()][-20:]
            while True:
                while len(self._in_flight) < self.jobs and not stop() and (runs := self.missing()):
                    self._in_flight[pool.submit(self._train, runs[0])] = runs[0]
                remaining = len(self.missing()) + len(self._in_flight)
                left = f"{remaining * sum(minutes) / len(minutes) / self.jobs:.0f} min left" if minutes else ""
                progress.update(bar, completed=done, total=done + remaining, left=left)
                if not self._in_flight:
                    return
                for future in wait(self._in_flight, return_when=FIRST_COMPLETED).done:
                    del self._in_flight[future]
                    record = future.result()
                    self.records[record.run] = record
                    minutes.append(record.minutes)
                    done += 1
                    progress.console.print(f"{record.run.file_name()}: {record.final['full']:.4f}")
                    yield record

    def _train(self, run: Run) -> Record:
        self._check(run.arm)
        path = self.records_folder / run.file_name()
        self._process(run, record=str(path))
        return Record(**json.loads(path.read_text()))

    def _check(self, arm: str) -> None:
        """Once per arm: code of another commit must train as its records say."""
        with self._checking:
            if arm in self._checked:
                return
            old = next((r for r in self.records.values() if r.arm == arm and r.commit != self.commit), None)
            if old is not None:
                require_same_trace(old, json.loads(self._process(old.run, record=None)))
            self._checked.add(arm)

    def _process(self, run: Run, record: str | None) -> str:
        """Last line that the process of a run prints."""
        folder = self.work_dir / "runs" / f"{self.scale}_{Path(run.file_name()).stem}"
        folder.mkdir(parents=True, exist_ok=True)
        data = data_folder(self.work_dir, run.split)
        job = dict(scale=self.scale, run=asdict(run), data=str(data), work_dir=str(folder), record=record)
        paths = os.pathsep.join([str(ROOT), str(ROOT / "benchmarks")])
        environment = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
        log = folder / "output.log"
        command = [sys.executable, "-m", "study.run", json.dumps(job)]
        with open(log, "w") as errors:
            done = subprocess.run(
                command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment, check=False
            )
        if done.returncode:
            raise StudyError(f"The training {run.file_name()} ended with exit code {done.returncode}; see {log}.")
        return done.stdout.strip().rpartition("\n")[2]


def data_folder(work_dir: Path, split: str) -> Path:
    """Where the toy set of a split lies."""
    return work_dir / "data" / split.replace(" ", "_")
