"""The report's page."""

from hqm_mmdet.evaluation.analysis import Analysis, Comparison, MetricValue

from ..formats import is_nothing, percent, plural
from ..pictures import ImageFolder
from ..render import Section, render_page
from . import class_view, comparison_view, image_view
from .wording import DATASET_NAMES, ERRORS, metric_meaning, metric_name


def build_report(run: Analysis | Comparison, images: ImageFolder) -> str:
    """A self-contained page about a run.

    Args:
        run (Analysis | Comparison): what to report; of a comparison, the second run and how it differs from the first.
        images (ImageFolder): images of the evaluated split.

    Returns:
        str: HTML.
    """
    analysis = run.second if isinstance(run, Comparison) else run
    errors = [errors_section(analysis)] if analysis.errors else []
    interactiveness = [interactiveness_section(analysis)] if analysis.interactiveness else []
    sections = [IMAGES, metrics_section(analysis), *errors, *interactiveness, classes_section(analysis)]
    data = analysis_data(analysis)
    groups = [analysis.worst, analysis.best]
    if isinstance(run, Comparison):
        sections.insert(0, comparison_section(run))
        data |= comparison_data(run)
        groups += [*run.better, *run.worse]
    data["pictures"] = image_view.collect_pictures(groups, images)
    return render_page(
        "report/page.html.j2",
        f"{analysis.name} on {dataset_name(analysis)}",
        sections,
        data,
        assets=["report"],
        analysis=analysis,
        dataset=dataset_name(analysis),
        headline=headline(analysis),
        headline_name=metric_name(analysis.headline),
        shortfall=images.shortfall,
        change=headline_change(run),
        sentence=what_matters(analysis),
    )


def analysis_data(analysis: Analysis) -> dict:
    """What scripts need of a run."""
    return dict(
        classes=class_view.class_table(analysis),
        curves=class_view.class_curves(analysis),
        figures=dict(
            worst=[image_view.case_figure(case) for case in analysis.worst],
            best=[image_view.case_figure(case) for case in analysis.best],
        ),
    )


def dataset_name(analysis: Analysis) -> str:
    """As the literature writes it."""
    return DATASET_NAMES.get(analysis.dataset, analysis.dataset)


def headline(analysis: Analysis) -> MetricValue:
    """The metric that the errors explain."""
    return next(metric for metric in analysis.metrics if metric.key == analysis.headline)


def what_matters(analysis: Analysis) -> str:
    """How much is found, and which kind of error costs most; empty where neither is known."""
    recalls = (metric.value for metric in analysis.metrics if metric.key.endswith("/max_recall"))
    recall = next((value for value in recalls if not is_nothing(value)), None)
    told = [] if recall is None else [f"{percent(recall, 0)} of 100 labelled triplets are found at some rank."]
    costly = max((error for error in analysis.errors if not is_nothing(error.gain)), key=lambda e: e.gain, default=None)
    if costly is not None and costly.gain > 0:
        told.append(
            f"What costs most: {costly.name} ({ERRORS[costly.name]}). Without it, {metric_name(analysis.headline)} "
            f"would be {percent(costly.gain, 1)} points higher."
        )
    return " ".join(told)


def headline_change(run: Analysis | Comparison) -> dict | None:
    """How the headline differs from the first run's; None for a single run."""
    if not isinstance(run, Comparison):
        return None
    rows = zip(run.metrics, comparison_view.metric_rows(run), strict=True)
    change = next((row for metric, row in rows if metric.key == run.second.headline), None)
    return change and dict(change, name=run.first.name)


def metrics_section(analysis: Analysis) -> Section:
    """All metrics with their intervals."""
    rows = [dict(metric=m, name=metric_name(m.key), meaning=metric_meaning(m.key)) for m in analysis.metrics]
    with_interval = any(metric.low is not None for metric in analysis.metrics)
    lead = "All numbers are percentages, more is better."
    if with_interval:
        lead += (
            " The 95 % interval says how far a number would move on another set of images of this size (not in another "
            "training). To tell two runs apart, compare them: intervals that overlap do not say that runs are equal."
        )
    return Section("metrics", "Metrics", "report/metrics.html.j2", lead, dict(rows=rows, with_interval=with_interval))


def errors_section(analysis: Analysis) -> Section:
    """Kinds of error and what each of them costs."""
    lead = (
        f"What {metric_name(analysis.headline)} would gain if all errors of one kind were put right and nothing else "
        "changed: the longest bar is the most rewarding thing to work on."
    )
    top = comparison_view.largest_gain(analysis)
    content = dict(errors=analysis.errors, limits=analysis.limits, meanings=ERRORS, top=top)
    return Section("errors", "Errors", "report/errors.html.j2", lead, content)


def interactiveness_section(analysis: Analysis) -> Section:
    """How well interacting pairs are told from others, and which of them were suppressed."""
    found = analysis.interactiveness
    lead = (
        "Whether the pairs of the file interact at all, whatever they do: a pair does if both boxes match those of a "
        f"labelled pair, which is true of {plural(found.num_interactive, 'pair')} of {found.num_pairs:,}."
    )
    return Section("interactiveness", "Interactiveness", "report/interactiveness.html.j2", lead, found)


def classes_section(analysis: Analysis) -> Section:
    """AP against count, curves, and the table that both belong to."""
    chart, (_, kind) = class_view.long_tail(analysis), class_view.counts_of(analysis.classes)
    lead = (
        f"In the first chart each dot is a class: the further right, the more {kind} instances it has; the higher, the "
        "better it is recognised. A click on a dot, or on a class in the table, adds its precision-recall curve to the "
        "second chart (up to six): it shows how precise the best candidates are while more and more of the labelled "
        "triplets are found, and ends where no further one is."
    )
    return Section("classes", "Classes", "report/classes.html.j2", lead, dict(chart=chart, kind=kind))


IMAGES = Section(
    "images",
    "Images",
    "report/images.html.j2",
    "What is labelled beside what was predicted. Solid box: subject; dashed: object. Blue with ✓ is right or found, "
    "orange with ✗ is wrong or not found; a click shows the image large with all its triplets.",
)


def comparison_section(comparison: Comparison) -> Section:
    """Where two runs differ."""
    first, second = comparison.first.name, comparison.second.name
    lead = (
        f"From the first run, {first}, to the second, {second}: “better” and “worse” are said only where the interval "
        "of the difference excludes zero, else the images are too few to tell. Another training of the same model may "
        "differ by more."
    )
    if missing := comparison.first.missing:
        lead += (
            f" {first} says nothing about {plural(len(missing), 'image')}; what is labelled there counts as not found."
        )
    content = dict(
        comparison=comparison,
        metrics=comparison_view.metric_rows(comparison),
        errors=comparison_view.error_rows(comparison),
        top=comparison_view.largest_gain(comparison.first, comparison.second),
        scatter=comparison_view.scatter(comparison),
        tally=comparison_view.tally(comparison),
    )
    return Section("comparison", "Comparison", "report/comparison.html.j2", lead, content)


def comparison_data(comparison: Comparison) -> dict:
    """What scripts need of a comparison."""
    names = comparison.first.name, comparison.second.name
    return dict(
        changes=comparison_view.difference_table(comparison),
        change_curves=comparison_view.difference_curves(comparison),
        runs=names,
        changed=dict(
            better=[image_view.pair_figure(*pair, names) for pair in comparison.better],
            worse=[image_view.pair_figure(*pair, names) for pair in comparison.worse],
        ),
    )
