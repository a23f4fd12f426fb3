"""Lists in and out of the administration, as CSV and Excel files; see docs/listes.md.

`reading` and `writing` know files and cells, `columns` what a cell means, `lists` what a file
would change, `services` writes it, `views` shows it. Each app says its lists in its `lists.py`.
"""
