"""Where a request comes from, as far as it can be known."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest | None) -> str:
    """The address to throttle: an IPv4 address, or the /64 network of an IPv6 one, else "".

    `X-Forwarded-For` is anybody's word: its last `TRUSTED_PROXIES` entries alone were written by
    proxies of ours, and the first of these names the client. The address of this very machine says
    nothing of who asks (a proxy that was not declared): it is given as "".
    """
    if request is None:
        return ""
    found = _parse(_forwarded(request)) or _parse(request.META.get("REMOTE_ADDR", ""))
    if found is None or found.is_loopback:
        return ""
    if found.version == 6:  # one customer has a whole /64
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def truncated(address: str) -> str:
    """What `client_address` gave, without what tells one household from its neighbours.

    « 192.0.2.x », « 2001:db8:1::x » (a /48); "" stays "".
    """
    if not address:
        return ""
    if ":" in address:
        network = ipaddress.ip_network((address.partition("/")[0], 48), strict=False)
        return f"{network.network_address}x"
    return f"{address.rpartition('.')[0]}.x"


def _forwarded(request):
    count = settings.TRUSTED_PROXIES
    hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    return hops[-count] if 0 < count <= len(hops) else ""


def _parse(text):
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
