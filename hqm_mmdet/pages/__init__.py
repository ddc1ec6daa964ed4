"""Self-contained HTML pages: everything they need lies in one file, and they ask no other machine for anything.

The kit that all pages share: ``render`` (template, style and script to one page), ``tables`` and ``charts`` (what
becomes a sortable table or a drawing), ``pictures`` (images within the page) and ``figures`` (pairs drawn on them).
In the browser, ``static/kit`` holds its counterpart.
"""
