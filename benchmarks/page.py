"""Parts of a documentation page that commands write, between two marks; what people write around them stays."""

from pathlib import Path

from hqm_mmdet.utils.atomic_io import write_atomically


def write_part(page: Path, command: str, text: str) -> None:
    """Replace what ``command`` wrote into the page before; at the first time it goes to the end."""
    begin, end = (f"<!-- written by `{command}`: {word} -->" for word in ("begin", "end"))
    old = page.read_text() if page.is_file() else ""
    if begin not in old:
        old = f"{old.rstrip()}\n\n{begin}\n{end}\n".lstrip()
    head, _, rest = old.partition(begin)
    write_atomically(page, f"{head}{begin}\n{text.strip()}\n{end}{rest.partition(end)[2]}".encode())
