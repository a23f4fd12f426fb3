"""What a household owes, from facts and a tariff grid: no database, no clock, no setting.

grids.py    what a délibération votes: rates, modifiers, fees
facts.py    what is known of a household: zone, quotient familial, students, lessons
bills.py    what comes out: lines that explain themselves
engine.py   `price(grid, household)`, from the first two to the third
"""
