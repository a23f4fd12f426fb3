from teaching.timetable import admin as timetable

assert timetable  # imported for its registrations
