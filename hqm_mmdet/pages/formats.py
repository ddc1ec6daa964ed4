"""Numbers as readers see them; ``static/kit/format.js`` writes the same in the browser."""

import math

NOTHING = "–"


def percent(value: float | None, digits: int = 2) -> str:
    """A fraction in percent without the sign, as the field's tables have it.

    >>> percent(0.39684), percent(float("nan")), percent(None)
    ('39.68', '–', '–')
    """
    return NOTHING if is_nothing(value) else f"{100 * value:.{digits}f}"


def points(value: float | None, digits: int = 2) -> str:
    """A difference of fractions in percentage points, with its sign.

    >>> points(0.0123), points(-0.5), points(0.000001), points(None)
    ('+1.23', '−50.00', '0.00', '–')
    """
    if is_nothing(value):
        return NOTHING
    text = f"{abs(100 * value):.{digits}f}"
    # What rounds to zero has no sign. The minus is the typographic one.
    return text if float(text) == 0 else ("+" if value > 0 else "−") + text


def count(value: int | None) -> str:
    """A number of things.

    >>> count(9546), count(None)
    ('9,546', '–')
    """
    return NOTHING if is_nothing(value) else f"{value:,}"


def plural(number: int, one: str, several: str = "") -> str:
    """A number with its noun.

    >>> plural(1, "image"), plural(2000, "image"), plural(0, "class", "classes")
    ('1 image', '2,000 images', '0 classes')
    """
    return f"{count(number)} {one if number == 1 else several or one + 's'}"


def share(value: float | None, whole: float) -> float:
    """How much of a whole a value is, in percent from 0 to 100; what is no number or negative has no length.

    >>> share(0.5, 2), share(-1, 2), share(float("nan"), 2), share(0, 0)
    (25.0, 0.0, 0.0, 0.0)
    """
    return 0.0 if is_nothing(value) or value <= 0 else round(min(100.0, 100 * value / whole), 2)


def is_nothing(value: float | None) -> bool:
    """Whether there is no number: None, NaN or infinite."""
    return value is None or not math.isfinite(value)


def finite(value: float | None, digits: int = 4) -> float | None:
    """A number for JSON, which knows no NaN; rounded, so that pages stay small.

    >>> finite(0.123456), finite(float("nan"))
    (0.1235, None)
    """
    return None if is_nothing(value) else round(float(value), digits)
