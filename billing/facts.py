"""Rows -> the facts that the pricing engine reads."""


def household_facts(families, *, establishment, school_year, statuses):
    raise NotImplementedError
