"""Tariff grids as data: a délibération votes one, the régie types it, the direction publishes it.

loading.py     rows -> the grid that the pricing engine reads
drafting.py    what may be done to a draft: rates, a copy for the next year
publishing.py  what stands in the way, then published and frozen
comparing.py   two grids on the same households: how much more or less, for how many
mapping.py     which category a course is billed in
lists.py       the rates as a CSV or Excel file, in and out
files/         a whole grid as a workbook, in and out
"""
