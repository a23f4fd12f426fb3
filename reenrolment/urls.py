app_name = "reenrolment"
urlpatterns = []
