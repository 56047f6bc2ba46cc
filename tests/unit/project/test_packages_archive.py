"""Archives: what a package is made of is unpacked, and nothing else ever gets outside of the folder."""

from __future__ import annotations

import gzip
import os
import tarfile
from pathlib import Path

import pytest
from support.hub import Member, archive, member, project_archive

from understudy.errors import ProjectError
from understudy.project.packages.archive import unpack
from understudy.project.packages.http import Damaged

OK = member("p/dbt_project.yml", b"name: p\n")
LINK = tarfile.SYMTYPE
HARD = tarfile.LNKTYPE


def unpacked(tmp_path: Path, content: bytes, **limits: int) -> Path:
    (tmp_path / "archive").write_bytes(content)
    folder = tmp_path / "jail" / "in"
    folder.mkdir(parents=True)
    return Path(unpack(str(tmp_path / "archive"), str(folder), **limits))


def outside(tmp_path: Path) -> set[str]:
    """Every file that lies beside the folder into which was unpacked."""
    return {
        str(path.relative_to(tmp_path))
        for path in tmp_path.rglob("*")
        if (tmp_path / "jail" / "in") not in path.parents
    }


def test_a_package_is_unpacked(tmp_path: Path) -> None:
    content = archive(
        [
            member("./", type=tarfile.DIRTYPE),
            member("p/", type=tarfile.DIRTYPE, mode=0o000),
            OK,
            member("p/run.sh", b"#!", mode=0o4777),
            member("p/models/ä b.sql", b"select 1"),
            member("p/empty.sql"),
            member("p/models/link.sql", type=LINK, linkname="../macros/a.sql"),
            member("p/macros/a.sql", b"-- a"),
            member("p/copy.sql", type=HARD, linkname="p/macros/a.sql"),
            member("p/folder", type=LINK, linkname="macros"),
        ]
    )
    top = unpacked(tmp_path, content)
    assert top.name == "p"
    assert (top / "models" / "ä b.sql").read_text() == "select 1"
    assert (top / "empty.sql").read_text() == ""
    assert (top / "models" / "link.sql").read_text() == (top / "copy.sql").read_text() == "-- a"
    assert os.readlink(top / "folder") == "macros"
    assert (top / "run.sh").stat().st_mode & 0o7777 == 0o755  # executable, and no more than that
    assert (top / "dbt_project.yml").stat().st_mode & 0o111 == 0


def test_github_puts_a_global_header_in_front(tmp_path: Path) -> None:
    content = archive([OK], format=tarfile.PAX_FORMAT, pax_headers={"comment": "0123456789abcdef"})
    assert (unpacked(tmp_path, content) / "dbt_project.yml").read_text() == "name: p\n"


HOSTILE: dict[str, list[Member]] = {
    "a path above the top": [OK, member("../evil", b"x")],
    "a path above the top, later on": [OK, member("p/models/../../../evil", b"x")],
    "dots that stay inside": [OK, member("p/models/../evil", b"x")],
    "an absolute path": [OK, member("/tmp/understudy-evil", b"x")],
    "nothing but absolute paths": [member("/p/dbt_project.yml", b"name: p\n")],
    "a backslash": [OK, member("p\\..\\..\\evil", b"x")],
    "a link out": [OK, member("p/link", type=LINK, linkname="../../../archive")],
    "a link to the folder around it": [OK, member("p/link", type=LINK, linkname="..")],
    "an absolute link": [OK, member("p/link", type=LINK, linkname="/etc/passwd")],
    "a file written through a link": [OK, member("p/d", type=LINK, linkname="."), member("p/d/evil", b"x")],
    "a file written through a link out": [member("p", type=LINK, linkname="/tmp"), member("p/evil", b"x")],
    "links that lead out only together": [
        OK,
        member("p/a/b/c/up", type=LINK, linkname="../../.."),  # this is p
        member("p/a/x", type=LINK, linkname="b/c/up/../.."),  # by its letters p/a, but above the top
    ],
    "a link that its last folder leads out": [
        OK,
        member("p/a/b/up", type=LINK, linkname="../.."),
        member("p/x", type=LINK, linkname="a/b/up/../../archive"),
    ],
    "a hard link out": [OK, member("p/hard", type=HARD, linkname="../../../archive")],
    "an absolute hard link": [OK, member("p/hard", type=HARD, linkname="/etc/passwd")],
    "a hard link to what comes later": [OK, member("p/hard", type=HARD, linkname="p/later"), member("p/later", b"x")],
    "a hard link to a link": [OK, member("p/s", type=LINK, linkname="x"), member("p/hard", type=HARD, linkname="p/s")],
    "a character device": [OK, member("p/device", type=tarfile.CHRTYPE, devmajor=1, devminor=3)],
    "a block device": [OK, member("p/device", type=tarfile.BLKTYPE)],
    "a pipe": [OK, member("p/pipe", type=tarfile.FIFOTYPE)],
    "names that differ in case": [OK, member("p/DBT_project.yml", b"name: q\n")],
    "folders that differ in case": [OK, member("p/a/x", b"x"), member("p/A/y", b"y")],
    "names that differ in how accents are written": [OK, member("p/\u00e9", b"x"), member("p/e\u0301", b"y")],
    "two members of one name": [OK, OK],
    "a file for a folder": [OK, member("p/a/x", b"x"), member("p/a", b"x")],
    "a folder for a file": [OK, member("p/a", b"x"), member("p/a/x", b"x")],
    "a link for a folder": [OK, member("p/a/x", b"x"), member("p/a", type=LINK, linkname="b")],
    "a name too long for the disk": [OK, member("p/" + "x" * 300, b"x")],
    "folders without end": [OK, member("p/" + "a/" * 100 + "x", b"x")],
    "two folders at the top": [OK, member("q/x", b"x")],
    "a file at the top": [member("dbt_project.yml", b"name: p\n")],
    "nothing": [],
    "no name": [OK, member("./", b"x")],
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_archive_is_refused_and_writes_nothing_outside(tmp_path: Path, what: str) -> None:
    with pytest.raises(ProjectError, match="archive"):
        unpacked(tmp_path, archive(HOSTILE[what]))
    assert outside(tmp_path) == {"archive", "jail", "jail/in"}
    assert not Path("/tmp/understudy-evil").exists()
    assert not Path("/tmp/evil").exists()


def test_too_much_is_refused_before_it_is_written(tmp_path: Path) -> None:
    content = archive([OK, member("p/zeros", b"\0" * 3_000_000)])
    assert len(content) < 10_000
    with pytest.raises(ProjectError, match="more than 1000000 bytes"):
        unpacked(tmp_path, content, max_bytes=1_000_000)


def test_a_name_that_never_ends_is_refused(tmp_path: Path) -> None:
    content = archive([member("p/" + "x" * 3_000_000)], format=tarfile.GNU_FORMAT)
    with pytest.raises(ProjectError, match="more than 1000000 bytes"):
        unpacked(tmp_path, content, max_bytes=1_000_000)


def test_copies_by_hard_link_count(tmp_path: Path) -> None:
    links = [member(f"p/{n}", type=HARD, linkname="p/big") for n in range(20)]
    with pytest.raises(ProjectError, match="stand for more"):
        unpacked(tmp_path, archive([OK, member("p/big", b"x" * 100_000), *links]), max_bytes=1_000_000)


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="more than 10 members"):
        unpacked(tmp_path, archive([OK, *(member(f"p/{n}") for n in range(20))]), max_members=10)


def test_a_sparse_file_is_refused(tmp_path: Path) -> None:
    info, _ = member("p/sparse", b"")
    info.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.size": str(10**15),
        "GNU.sparse.map": "0,0",
    }
    with pytest.raises((ProjectError, Damaged)):
        unpacked(tmp_path, archive([OK, (info, b"")], format=tarfile.PAX_FORMAT))


def damaged() -> dict[str, bytes]:
    whole = project_archive("p", "1.0.0", {"models/a.sql": "select 1" * 1000})
    chain = b"".join(tarfile.TarInfo("x").tobuf(tarfile.GNU_FORMAT)[:156] + b"L" + bytes(355) for _ in range(2000))
    negative = bytearray(tarfile.TarInfo("p/x").tobuf(tarfile.GNU_FORMAT))
    negative[124:136] = b"\xff" * 12
    negative[148:156] = b"%06o\0 " % (sum(negative[:148]) + 256 + sum(negative[156:]))
    return {
        "no gzip": b"<html>Not found</html>",
        "empty": b"",
        "cut off": whole[: len(whole) // 2],
        "no tar": gzip.compress(b"hello" * 1000),
        "a byte changed": whole[:60] + bytes([whole[60] ^ 255]) + whole[61:],
        "headers without end": gzip.compress(chain),
        "a negative size": gzip.compress(bytes(negative) + bytes(2048)),
    }


@pytest.mark.parametrize("what", damaged())
def test_a_damaged_archive_may_be_fetched_again(tmp_path: Path, what: str) -> None:
    with pytest.raises((Damaged, ProjectError)) as caught:
        unpacked(tmp_path, damaged()[what])
    if what not in ("headers without end", "a negative size"):
        assert isinstance(caught.value, Damaged)
    assert outside(tmp_path) == {"archive", "jail", "jail/in"}


def test_plain_tar_is_no_package(tmp_path: Path) -> None:
    with pytest.raises(Damaged):
        unpacked(tmp_path, archive([OK], mode="w"))
