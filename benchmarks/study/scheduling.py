"""Which trainings are still wanted, and running them side by side."""

import json
import math
import os
import queue
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from .comparison import Records, final, paired, seeds_of
from .device_data import device_name
from .plan import BASELINE_OF, LOCALISER_OF, ROOT, Experiment, Run
from .records import Record, StudyError, require_same_trace


def wanted(experiment: Experiment, records: Records) -> list[Run]:
    """Runs that an experiment lacks, seed by seed, so that an interrupted study has whole pairs."""
    count = experiment.seeds
    if experiment.precision is not None:
        count = max(count, next_count(experiment, records))
    runs = [Run(split, arm, seed) for seed in range(count) for split in experiment.splits for arm in experiment.arms]
    return [run for run in runs if run not in records]


def next_count(experiment: Experiment, records: Records) -> int:
    """Seeds that the precision asks for, by the spread of those that are there; more than them while an interval is too
    wide, up to the limit."""
    split = experiment.splits[0]
    done = min(len(seeds_of(records, split, arm)) for arm in experiment.arms)
    width = max(
        paired(records, split, arm, final("full")).half_width for arm in experiment.arms if BASELINE_OF[arm] != arm
    )
    if width <= experiment.precision:
        return done
    # widths fall as one over the root of the number; below five seeds they tell little
    wanted = math.ceil(done * (width / experiment.precision) ** 2) if done >= experiment.seeds else experiment.seeds
    return min(max(done + 1, wanted), experiment.most_seeds)


@dataclass
class Queue:
    """Trains what experiments lack, several runs at a time, in processes that take one after the other.

    Args:
        scale: name of the trainings' size.
        experiments: in the order in which they are served.
        records: what is there; grows.
        records_folder: where records are written.
        work_dir: data sets and logs.
        jobs: processes at a time.
        commit: of this checkout; a record of another one must first be shown to train the same.

        failed: runs that could not be trained, and why; the others go on.
    """

    scale: str
    experiments: list[Experiment]
    records: Records
    records_folder: Path
    work_dir: Path
    jobs: int
    commit: str
    failed: dict[Run, StudyError] = field(default_factory=dict)
    _in_flight: dict[Future, Run] = field(default_factory=dict)
    _workers: queue.SimpleQueue = field(default_factory=queue.SimpleQueue)
    _checked: set[str] = field(default_factory=set)
    _checking: dict[str, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))

    def missing(self) -> list[Run]:
        """All runs that are wanted by now, neither in flight nor failed."""
        left_out, found = {*self._in_flight.values(), *self.failed}, {}
        for experiment in self.experiments:
            found |= dict.fromkeys(run for run in wanted(experiment, self.records) if run not in left_out)
        return list(found)

    def run(self, stop: Callable[[], bool] = lambda: False) -> Iterator[Record]:
        """Train until nothing is missing, or no new run may begin; yields each record when it is written.

        Raises:
            StudyError: at the end, if trainings failed, or their first losses are not those of a record.
        """
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
        )
        with Progress(*columns) as progress, ExitStack() as workers, ThreadPoolExecutor(self.jobs) as pool:
            for i in range(self.jobs):
                log = self.work_dir / f"worker_{i}.log"
                self._workers.put(workers.enter_context(Worker(log)))
            bar = progress.add_task("study", total=None, left="")
            done, minutes = 0, [record.minutes for record in self.records.values()][-20:]
            while True:
                while len(self._in_flight) < self.jobs and not stop() and (runs := self.missing()):
                    run = next((run for run in runs if not self._waits(run)), runs[0])
                    self._in_flight[pool.submit(self._train, run)] = run
                remaining = len(self.missing()) + len(self._in_flight)
                left = f"{remaining * sum(minutes) / len(minutes) / self.jobs:.0f} min left" if minutes else ""
                progress.update(bar, completed=done, total=done + remaining, left=left)
                if not self._in_flight:
                    break
                for future in wait(self._in_flight, return_when=FIRST_COMPLETED).done:
                    run = self._in_flight.pop(future)
                    try:
                        record = future.result()
                    except StudyError as error:
                        progress.console.print(str(error))
                        self.failed[run] = error
                        continue
                    self.records[record.run] = record
                    minutes.append(record.minutes)
                    done += 1
                    progress.console.print(f"{record.run.file_name()}: {record.final['full']:.4f}")
                    yield record
        if self.failed:
            raise StudyError("\n".join(map(str, self.failed.values())))

    def _waits(self, run: Run) -> bool:
        """Whether another process may be training the localiser that this run starts from."""

        def start(each: Run) -> tuple:
            return LOCALISER_OF.get(each.arm), each.split, each.seed

        return run.arm in LOCALISER_OF and start(run) in map(start, self._in_flight.values())

    def _train(self, run: Run) -> Record:
        self._check(run.arm)
        path = self.records_folder / run.file_name()
        self._process(run, record=str(path))
        return Record(**json.loads(path.read_text()))

    def _check(self, arm: str) -> None:
        """Once per arm: code of another commit must train as its records say."""
        with self._checking[arm]:
            if arm in self._checked:
                return
            old = next((r for r in self.records.values() if r.arm == arm and r.commit != self.commit), None)
            if old is not None:
                require_same_trace(old, self._process(old.run, record=None), device_name())
            self._checked.add(arm)

    def _process(self, run: Run, record: str | None) -> list[float] | None:
        """Answer of a worker: the trace if no record is wanted."""
        folder = self.work_dir / "runs" / f"{self.scale}_{Path(run.file_name()).stem}"
        folder.mkdir(parents=True, exist_ok=True)
        data = data_folder(self.work_dir, run.split)
        job = dict(scale=self.scale, run=asdict(run), data=str(data), work_dir=str(folder), record=record)
        worker = self._workers.get()
        try:
            return worker.ask(job | dict(commit=self.commit))
        finally:
            self._workers.put(worker)


class Worker:
    """A process that trains, one run after the other; a context manager.

    Args:
        log: file of what it prints.
    """

    def __init__(self, log: Path):
        self.log = log
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> "Worker":
        return self

    def ask(self, job: dict) -> list[float] | None:
        """Hand over a job of ``study.run`` and wait for its answer.

        Raises:
            StudyError: the process ended. The next job gets a new one.
        """
        if self._process is None:
            self._start()
        with suppress(BrokenPipeError):  # an ended process gives no answer either
            self._process.stdin.write(json.dumps(job) + "\n")
        answer = self._process.stdout.readline()
        if answer:
            return json.loads(answer)
        code, self._process = self._process.wait(), None
        name = Run(**job["run"]).file_name()
        raise StudyError(f"The training {name} ended with exit code {code}; see {self.log}.")

    def _start(self) -> None:
        paths = os.pathsep.join(map(str, (ROOT, ROOT / "benchmarks", os.environ.get("PYTHONPATH", ""))))
        environment = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
        pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "a") as log:
            command = [sys.executable, "-m", "study.run"]
            self._process = subprocess.Popen(command, stderr=log, env=environment, **pipes)

    def __exit__(self, *error) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()


def data_folder(work_dir: Path, split: str) -> Path:
    """Where the toy set of a split lies."""
    return work_dir / "data" / split.replace(" ", "_")
