"""Whose word is taken on where a request comes from."""

import pytest

from accounts.addresses import client_address, truncated


@pytest.mark.parametrize(
    ("proxies", "remote", "forwarded", "expected"),
    [
        (0, "192.0.2.1", "", "192.0.2.1"),
        (0, "192.0.2.1", "198.51.100.7", "192.0.2.1"),  # anybody may write this header
        (1, "10.0.0.1", "198.51.100.7", "198.51.100.7"),
        (1, "10.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"),  # the first is made up
        (2, "10.0.0.1", "203.0.113.9, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        (2, "10.0.0.1", "198.51.100.7", "10.0.0.1"),  # it did not come through both
        (1, "10.0.0.1", "", "10.0.0.1"),
        (1, "10.0.0.1", "n'importe quoi", "10.0.0.1"),
        (1, "127.0.0.1", "198.51.100.7", "198.51.100.7"),
        (0, "127.0.0.1", "", ""),  # this machine: a proxy that was not declared
        (0, "::1", "", ""),
        (0, "", "", ""),  # a socket has no address
        (0, "2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        (0, "::ffff:192.0.2.1", "", "192.0.2.1"),
    ],
)
def test_client_address(rf, settings, proxies, remote, forwarded, expected):
    settings.TRUSTED_PROXIES = proxies
    headers = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}

    assert client_address(rf.get("/", REMOTE_ADDR=remote, **headers)) == expected


def test_nothing_is_trusted_by_default(settings):
    assert settings.TRUSTED_PROXIES == 0


def test_without_a_request_there_is_no_address():
    assert client_address(None) == ""


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.77", "192.0.2.x"),
        ("2001:db8:1:2::/64", "2001:db8:1::x"),
        ("", ""),
    ],
)
def test_what_is_kept_of_an_address_names_no_household(address, expected):
    assert truncated(address) == expected
