from teaching.concerts.admin import concerts, turns

assert concerts  # imported for their registrations
assert turns
