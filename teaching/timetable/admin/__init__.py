from teaching.timetable.admin import closures, lessons, settings

assert closures  # imported for their registrations
assert lessons, settings
