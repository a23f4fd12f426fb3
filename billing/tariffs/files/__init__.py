"""A whole grid as one file: a workbook of seven sheets, or a ZIP of as many CSV.

parts.py      the sheets: their columns, and the rows that a grid has in each
cells.py      what a cell of these sheets means
reading.py    from a file to the rows of each sheet, with what is refused of them
checking.py   what importing them would do to a draft
importing.py  receives a file, then imports it whole or not at all
"""
