"""The files of deploy/ agree with each other, and with what the bench takes them to say."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from bench.clients import LARGE
from bench.uploads import NICE

DEPLOY = Path(settings.BASE_DIR) / "deploy"
WEIGHT_OF_ONE_NICE = 1.25  # sched(7)


def unit(name):
    lines = (DEPLOY / name).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if re.match(r"\w+=", line))


def test_the_two_servers_are_the_same_site_on_two_ports():
    pages, uploads = unit("imuse.service"), unit("imuse-uploads.service")

    for name in ("Description", "ExecStart"):
        assert pages.pop(name) != uploads.pop(name)
    assert pages | {"CPUWeight": "33"} == uploads


@pytest.mark.parametrize(
    ("upstream", "own", "other"),
    [
        ("imuse_pages", "imuse.service", "imuse-uploads.service"),
        ("imuse_uploads", "imuse-uploads.service", "imuse.service"),
    ],
)
def test_each_group_is_one_of_them_and_the_other_when_it_is_down(upstream, own, other):
    text = (DEPLOY / "nginx.conf").read_text()
    servers = re.search(rf"upstream {upstream} {{(.*?)}}", text, re.S)[1]

    own, other = (re.search(r"--bind (\S+)", unit(name)["ExecStart"])[1] for name in (own, other))
    assert servers.split("\n")[1:-1] == [
        f"    server {own} max_fails=0;",
        f"    server {other} backup;",
    ]


def test_the_bench_stands_for_what_is_deployed():
    assert "[0-9]{1,5}$" in (DEPLOY / "nginx.conf").read_text()
    assert LARGE == 10**5
    weight = 100 / WEIGHT_OF_ONE_NICE**NICE
    assert int(unit("imuse-uploads.service")["CPUWeight"]) == pytest.approx(weight, abs=1)
