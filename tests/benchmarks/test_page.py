"""What commands write into pages leaves the rest alone."""


def test_parts_are_replaced_in_place(script, tmp_path):
    write_part = script("page").write_part
    page = tmp_path / "docs" / "page.md"
    page.parent.mkdir()
    page.write_text("# Title\n")
    write_part(page, "make a", "first")
    write_part(page, "make b", "second")
    page.write_text(page.read_text() + "\nWords of a person.\n")
    write_part(page, "make a", "third")
    text = page.read_text()
    assert "first" not in text
    assert text.startswith("# Title\n") and text.endswith("Words of a person.\n")
    assert text.index("third") < text.index("second")
