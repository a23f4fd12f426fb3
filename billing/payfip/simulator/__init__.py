"""A PayFiP of our own, for the demonstration and the tests: same SOAP, same page, no money.

It knows nothing of our client: it reads what the published WSDL says, and answers what the public
integrations tell of the real one. `manage.py payfip_simulator` runs it.
"""
