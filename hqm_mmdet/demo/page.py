"""Layout of the demo page, and what its parts do. Only this, ``serving`` and ``upload_route`` import gradio."""

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

import gradio as gr
import numpy as np
from PIL import Image

from hqm_mmdet.visualization import ShownPair, TripletSelection

from .session import DemoSession, RequestError, SeenImage
from .upload_store import UploadStore
from .uploads import UploadError
from .views import attention_view, empty_view, refusal_view, result_view

TITLE = "Human-object interactions"
CSS = Path(__file__).with_name("page.css")
THUMBNAIL = 160  # pixels
QUEUE = 16  # waiting requests; more are told to come back later
FORGOTTEN = 3600  # seconds after which memory drops an image
STALE = 300  # seconds after which gradio's cache drops an upload that nobody read
ALL = "None chosen: all."
ASK = "Interactions in your own words, one per line. Empty: those that the model was trained on."
EXAMPLE_TEXTS = "a person riding a bicycle\na person washing a horse"
CHOOSE = "Shows what drew the attention of the chosen pair's query in each decoder layer."
NO_QUERIES = "Not for this model: its pairs do not come from single queries."
PRIVACY = (
    "Images go to the computer that runs this page and nowhere else. "
    "None is stored; the last one is forgotten after an hour."
)


class DemoPage:
    """The page of a session.

    Args:
        session (DemoSession): what does the work.
        about (str): one line about the model.
        store (UploadStore): where uploads lie.
    """

    def __init__(self, session: DemoSession, about: str, store: UploadStore):
        self.session, self.store = session, store
        with gr.Blocks(title=TITLE, fill_width=True, analytics_enabled=False, delete_cache=(60, STALE)) as self.blocks:
            gr.Markdown(f"# {TITLE}\nDrop an image: the model finds who does what with which object.")
            self.seen = gr.State(time_to_live=FORGOTTEN)
            with gr.Row(elem_id="parts"):
                with gr.Column(scale=1, min_width=300):
                    self._add_inputs()
                with gr.Column(scale=2, min_width=300):
                    self._add_outputs()
            gr.HTML(f"<p>Model: {escape(about)}.<br>{PRIVACY}</p>", elem_id="about")
            self._connect()
        self.blocks.queue(max_size=QUEUE, default_concurrency_limit=1, api_open=False)

    def _add_inputs(self) -> None:
        limits = self.session.limits
        self.upload = gr.File(
            label=f"Image (up to {limits.megabytes:g} MB, {limits.megapixels:g} megapixels)",
            file_types=["image"],
            height=150,
            elem_id="upload",
        )
        self.upload.async_move_resource_to_block_cache = _local(self.upload.async_move_resource_to_block_cache)
        self.examples = None
        if self.session.examples:
            thumbnails = [_thumbnail(self.session.read(path)) for path in self.session.examples]
            self.examples = gr.Gallery(
                thumbnails, label="Or an example", columns=4, height="auto", allow_preview=False, interactive=False,
                buttons=[], elem_id="examples",
            )  # fmt: skip
        self.texts = None
        if self.session.inferencer.can_be_asked:
            self.texts = gr.Textbox(
                label="Look for", info=ASK, placeholder=EXAMPLE_TEXTS, lines=2, max_lines=8, elem_id="texts"
            )
            self.ask = gr.Button("Look again", elem_id="ask")
        # Nothing to filter yet; with examples, the first one is shown at once.
        self.filters = gr.Column(visible=self.examples is not None, elem_id="filters")
        with self.filters, gr.Group():
            self.score = gr.Slider(0, 1, 0.3, step=0.01, label="Least score", elem_id="score")
            most = self.session.max_pairs
            self.pairs = gr.Slider(1, most, most, step=1, label="Most pairs", elem_id="pairs")
            self.verbs = gr.Dropdown(self.session.verbs, multiselect=True, label="Verbs", info=ALL, elem_id="verbs")
            self.objects = gr.Dropdown(
                self.session.objects, multiselect=True, label="Objects", info=ALL, elem_id="objects"
            )

    def _add_outputs(self) -> None:
        self.result = gr.HTML(empty_view(bool(self.session.examples)), elem_id="result")
        with gr.Column(elem_id="look"):
            self.pair = gr.Dropdown(
                [], label="Where does the model look? Choose a pair", info=CHOOSE, visible=False, elem_id="pair"
            )
            self.attention = gr.HTML(elem_id="attention")

    def _connect(self) -> None:
        """One thing at a time: the model and its visualizer are shared by all visitors."""
        how = dict(concurrency_id="model", concurrency_limit=1, api_visibility="private")
        settings = [self.score, self.pairs, self.verbs, self.objects]
        outputs = [self.result, self.pair, self.attention, self.filters]
        request = settings if self.texts is None else [self.texts, *settings]
        self.upload.upload(self.take, [self.upload, *request], [self.upload, self.seen, *outputs], **how)
        if self.examples is not None:
            self.examples.select(self.take_example, request, [self.upload, self.seen, *outputs], **how)
            self.blocks.load(self.begin, request, [self.seen, *outputs], **how)
        if self.texts is not None:
            self.ask.click(self.look_for, [self.seen, *request], [self.seen, *outputs], **how)
        gr.on(
            [setting.change for setting in settings],
            self.change,
            [self.seen, self.pair, *settings],
            outputs,
            trigger_mode="always_last",
            show_progress="hidden",
            **how,
        )
        self.pair.input(self.look, [self.seen, self.pair, *settings], self.attention, **how)

    def take(self, upload: str, *request) -> tuple:
        """An uploaded file; it is removed as soon as it is read."""
        try:
            content = self.store.take(upload)
        except UploadError as error:
            raise gr.Error(str(error), print_exception=False) from error
        return None, *self._see(content, Path(upload).name, *request)

    def take_example(self, event: gr.SelectData, *request) -> tuple:
        """One of the examples."""
        path = self.session.examples[event.index]
        return None, *self._see(path.read_bytes(), path.name, *request)

    def begin(self, *request) -> tuple:
        """The first example: a page that shows what it is for."""
        first = self.session.examples[0]
        return self._see(first.read_bytes(), first.name, *request)

    def look_for(self, seen: SeenImage | None, texts: str, *settings) -> tuple:
        """Other interactions in the image that is shown."""
        if seen is None:
            return None, *self.change(None, None, *settings)
        return self._shown(lambda: self.session.ask(seen, texts), seen, settings)

    def _see(self, content: bytes, name: str, *request) -> tuple:
        texts, *settings = request if self.texts is not None else ("", *request)
        return self._shown(lambda: self.session.see(content, name, texts), None, settings)

    def _shown(self, see: Callable[[], SeenImage], before: SeenImage | None, settings: Sequence) -> tuple:
        """What ``see`` gives, and how it is shown; where the request is refused, why, and the image ``before``."""
        try:
            seen = see()
        except (UploadError, RequestError) as error:
            nothing = gr.Dropdown(choices=[], value=None, visible=False), ""
            return before, refusal_view(str(error)), *nothing, gr.Column(visible=before is not None)
        return seen, *self.change(seen, None, *settings)

    def change(self, seen: SeenImage | None, pair: int | None, *settings) -> tuple:
        """Another threshold or filter: result, pairs to choose from, attention of the chosen one while it is shown; the
        filters themselves are there while there is something to filter."""
        if seen is None:
            nothing = gr.Dropdown(choices=[], value=None, visible=False), ""
            return empty_view(bool(self.session.examples)), *nothing, gr.Column(visible=False)
        selection = selection_of(*settings)
        shown = self.session.show(seen, selection)
        choices = self.session.describe(seen, shown.pairs)
        pair = pair if pair in [index for _, index in choices] else None
        knows = self.session.knows_queries(seen)
        choice = gr.Dropdown(
            choices=choices, value=pair, visible=bool(choices), interactive=knows, info=CHOOSE if knows else NO_QUERIES
        )
        attention = self._attention(seen, shown.pairs, pair)
        return result_view(shown, selection), choice, attention, gr.Column(visible=True)

    def look(self, seen: SeenImage | None, pair: int | None, *settings) -> str:
        """Attention of a chosen pair."""
        if seen is None:
            return ""
        return self._attention(seen, self.session.pairs(seen, selection_of(*settings)), pair)

    def _attention(self, seen: SeenImage, pairs: Sequence[ShownPair], pair: int | None) -> str:
        if pair is None:
            return ""
        cells = self.session.attention(seen, pairs, pair)
        described = next((line for line, index in self.session.describe(seen, pairs) if index == pair), "")
        return attention_view(cells, described, seen.prediction.name) if cells else ""


def selection_of(score: float, pairs: int, verbs: list[str] | None, objects: list[str] | None) -> TripletSelection:
    """What the page's sliders and filters say."""
    return TripletSelection(score, max_pairs=int(pairs), verbs=tuple(verbs or ()), objects=tuple(objects or ()))


def _local(move: Callable) -> Callable:
    """Takes uploaded files only: gradio downloads what a forged request gives as an address."""

    async def move_local(path: str | Path | None) -> str | None:
        if path is not None and "://" in str(path):
            raise gr.Error("Addresses are not read.", print_exception=False)
        return await move(path)

    return move_local


def _thumbnail(image: np.ndarray) -> Image.Image:
    small = Image.fromarray(np.ascontiguousarray(image[..., ::-1]))
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    return small
