"""What a household owes, from facts and a tariff grid: no database, no clock, no setting.

grids.py       what a délibération votes: rates, modifiers, fees
facts.py       what is known of a household: zone, quotient familial, students, lessons
bills.py       what comes out: lines that explain themselves
engine.py      `price(grid, household)`, from the first two to the third
rates.py       which rate of the grid a lesson has, or the « tarif haut »
reductions.py  what the modifiers take off
ranking.py     who is first of the household, and which lesson is the student's first
explaining.py  the French of the lines, and the one place where amounts are rounded
faults.py      `faults(grid)`: what is wrong with a grid, said before it is published
cases.py       the cases that a grid must price, each exactly once
"""
