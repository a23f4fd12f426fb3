"""The demo conservatoire: `loading.py` makes it; everybody and every address are invented.

catalogue.py    what is taught: courses, slots, programmes, repertoire (data)
people.py       names, streets and communes to draw from (data)
accounts.py     the fixed accounts, their password, and how an account is made
clock.py        moments counted from today, and the services' clock turned back to them
town.py         sites, communes, school years, pieces asked for, campaigns
teaching.py     teachers, courses, slots and places
households.py   families, guardians and students
schooling.py    who follows what, this year and before; the repertoire
launch.py       the campaign announced to the families, one mail refused
files.py        small PDFs and portraits to hand in
dossiers.py     dossiers in every state, made by the services
faces.py        whose photo teachers see
reminders.py    the households reminded of the pieces that they lack
waiting.py      who waits for the full slots, a place offered
my_data.py      a copy of a household's data, a request of erasure
register.py     the registers of four weeks, absences justified and to justify
class_week.py   who changed classes last week, an absence to justify
doubles.py      a household entered twice, a responsable without account
year.py         the holidays, the hours that teachers fixed
concerts.py     what a teacher wrote to the repertoire, two auditions
timetable.py    lessons cancelled, moved, replaced
announcements.py  a message to everyone, one to a class, read by some
invoices.py     invoices paid, to pay and overdue, made by the services
runs.py         the year's invoices issued together, and a run to check
"""
