"""What families read of the year, and what they tell."""

app_name = "teaching"
urlpatterns = []
