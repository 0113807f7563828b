# SPDX-License-Identifier: BSD-2-Clause
"""Paths, links, modes, owners and directories."""
import os
import stat

from served import NOBODY, Case

RESERVED = ".waggle-0.part"


def path_of(length):
    """A path of so many bytes to a file named `a`."""
    return "./" * ((length - 1) // 2) + "/" * ((length - 1) % 2) + "a"


class Names(Case):
    def test_paths_have_at_most_4095_bytes(self):
        self.put("a")
        for length in (4094, 4095):
            self.assertEqual(self.client.getattr(path_of(length)).size, 7)
        for length in (4096, 65535):
            self.breaks(self.client.getattr, path_of(length))

    def test_names_have_at_most_255_bytes(self):
        self.client.upload("n" * 255, b"x")
        self.put("a")
        long = "n" * 256
        for path in (long, long + "/x", "x/../" + long):
            client = self.client
            for call, *arguments in ((client.lookup, 1, path), (client.getattr, path), (client.setattr, path, 0o600),
                                     (client.create, 1, path, 1), (client.mkdir, path), (client.remove, path),
                                     (client.rename, path, "x"), (client.rename, "a", path), (client.truncate, path, 1),
                                     (client.readdir, path)):
                with self.subTest(call.__name__, path=path):
                    (self.root / "x").mkdir(exist_ok=True)
                    self.refused("usage", call, *arguments)

    def test_paths_are_relative_and_stay_inside(self):
        (self.root / "d").mkdir()
        self.put("d/a")
        for path in ("d/a", "d//a", "./d/./a", "d/../d/a"):
            self.assertEqual(self.client.getattr(path).size, 7)
        self.assertEqual(self.client.getattr(""), self.client.getattr("d/.."))
        for path in ("/", "/d/a", "..", "../root/d/a", "d/../../x"):
            self.refused("denied", self.client.getattr, path)
            self.refused("denied", self.client.lookup, 1, path)
            self.refused("denied", self.client.mkdir, path)
        self.refused("not_found", self.client.getattr, "d/a/b")
        self.refused("not_found", self.client.getattr, "d/a/")

    def test_what_is_changed_by_name_needs_a_name(self):
        (self.root / "named").mkdir()
        for path in ("", ".", "..", "named/", "named/.", "named/.."):
            for call, *arguments in ((self.client.mkdir, path), (self.client.remove, path), (self.client.create, 1, path, 1),
                                     (self.client.rename, path, "x"), (self.client.rename, "named", path)):
                with self.subTest(call.__name__, path=path):
                    self.refused("denied", call, *arguments)

    def test_names_of_unfinished_uploads_are_the_server_s_own(self):
        self.put(RESERVED)
        self.put("file")
        self.assertNotIn(RESERVED.encode(), self.client.readdir(""))
        for path in (RESERVED, "./" + RESERVED, RESERVED + "/x", RESERVED + "/"):
            self.refused("not_found", self.client.getattr, path)
            self.refused("not_found", self.client.lookup, 1, path)
            self.refused("not_found", self.client.truncate, path, 0)
            self.refused("not_found", self.client.setattr, path, 0o600)
        for call, *arguments in ((self.client.mkdir, RESERVED), (self.client.remove, RESERVED), (self.client.create, 1, RESERVED, 1),
                                 (self.client.rename, RESERVED, "x"), (self.client.rename, "file", RESERVED)):
            self.refused("denied", call, *arguments)
        self.assertEqual(self.get(RESERVED), b"content")

    def test_what_exists_is_not_made_again_and_what_is_not_there_not_found(self):
        (self.root / "full").mkdir()
        self.put("full/x")
        self.put("f")
        self.refused("exists", self.client.mkdir, "full")
        self.refused("exists", self.client.mkdir, "f")
        self.refused("exists", self.client.remove, "full")
        for call, *arguments in ((self.client.remove, "none"), (self.client.rename, "none", "x"), (self.client.mkdir, "none/x"),
                                 (self.client.truncate, "none", 0), (self.client.readdir, "none"), (self.client.create, 1, "none/x", 0)):
            with self.subTest(call.__name__):
                self.refused("not_found", call, *arguments)

    def test_rename_replaces_files_and_empty_directories_by_their_like(self):
        for name in ("r1", "r2"):
            (self.root / name).mkdir()
        self.put("f1", b"1")
        self.put("f2", b"2")
        self.client.rename("f1", "f2")
        self.client.rename("r1", "r2")
        self.assertEqual(self.get("f2"), b"1")
        self.put("r2/x")
        (self.root / "r1").mkdir()
        self.refused("exists", self.client.rename, "f2", "r1")
        self.refused("exists", self.client.rename, "r1", "f2")
        self.refused("exists", self.client.rename, "r1", "r2")
        self.refused("usage", self.client.rename, "r1", "r1/below")


class Links(Case):
    def setUp(self):
        super().setUp()
        for name, target in (("link", "file"), ("to-directory", "directory"), ("dangling", "nothing"), ("loop", "loop"),
                             ("absolute", str(self.root / "file")), ("out", "../file")):
            (self.root / name).symlink_to(target)
        self.put("file")
        (self.root / "directory").mkdir()
        self.put("directory/inside")

    def test_what_asks_for_content_or_attributes_follows(self):
        self.assertEqual(self.client.getattr("link"), self.client.getattr("file"))
        self.assertEqual(self.client.download("link"), b"content")
        self.assertEqual(self.client.download("to-directory/inside"), b"content")
        self.assertEqual(list(self.client.readdir("to-directory")), [b"inside"])
        self.client.setattr("link", mode=0o604)
        self.assertEqual(self.client.getattr("file").mode, 0o604)
        self.client.truncate("link", 3)
        self.assertEqual(self.get("file"), b"con")
        entries = self.client.readdir("")
        self.assertEqual((entries[b"link"].type, entries[b"absolute"].type, entries[b"file"].type), (3, 3, 1))

    def test_what_changes_a_name_acts_on_the_link(self):
        self.client.rename("link", "renamed")
        self.assertEqual(os.readlink(self.root / "renamed"), "file")
        self.client.remove("renamed")
        self.refused("exists", self.client.mkdir, "out")
        self.client.upload("to-directory/new", b"through a link")
        self.assertEqual(self.get("directory/new"), b"through a link")
        self.assertEqual(self.get("file"), b"content")

    def test_an_upload_follows(self):
        (self.root / "directory/up").symlink_to("../link")
        self.client.upload("directory/up", b"through two links")
        self.assertEqual(self.get("file"), b"through two links")
        self.assertEqual([os.readlink(self.root / name) for name in ("directory/up", "link")], ["../link", "file"])
        self.refused("not_found", self.client.upload, "dangling", b"mine")
        self.refused("exists", self.client.upload, "to-directory", b"mine")
        for name in ("absolute", "out", "loop"):
            self.refused("denied", self.client.upload, name, b"mine")
        self.assertFalse((self.root / "nothing").exists())

    def test_absolute_ones_and_those_that_lead_out_are_denied(self):
        for name in ("absolute", "out", "loop"):
            self.refused("denied", self.client.getattr, name)
            self.refused("denied", self.client.lookup, 1, name)
            self.refused("denied", self.client.truncate, name, 0)
            self.refused("denied", self.client.setattr, name, 0o600)
            self.refused("denied", self.client.readdir, name)
            self.refused("denied", self.client.create, 1, name + "/x", 0)
        self.refused("not_found", self.client.getattr, "dangling")


class Facts(Case):
    def test_modes_are_permission_bits_and_sticky(self):
        for mode in (0o000, 0o644, 0o777, 0o1777):
            for name in ("file", "directory"):
                with self.subTest(mode=oct(mode), name=name):
                    self.client.upload("file", b"", mode=mode)
                    self.client.mkdir("directory", mode)
                    self.assertEqual(stat.S_IMODE(os.stat(self.root / name).st_mode), mode)
                    self.client.setattr(name, mode=0o700)
                    self.assertEqual(self.client.setattr(name, mode=mode).mode, mode)
                    self.client.remove("directory")

    def test_nobody_s_rights_are_given_away(self):
        self.put("file")
        before = self.client.getattr("file")
        for mode in (0o4755, 0o2755, 0o6000):
            self.refused("denied", self.client.create, 1, "new", 0, mode)
            self.refused("denied", self.client.mkdir, "new", mode)
            self.refused("denied", self.client.setattr, "file", mode, times=(1, 1))
            self.assertEqual(self.client.getattr("file"), before)
        os.chmod(self.root / "file", 0o4755)
        self.assertEqual(self.client.getattr("file").mode, 0o4755)

    def test_setattr_changes_what_its_flags_say_and_tells_what_came_of_it(self):
        self.put("file")
        before = self.client.getattr("file")
        self.assertEqual(self.client.setattr("file"), before)
        keep = 2**32 - 1
        self.assertEqual(self.client.setattr("file", owner=(keep, keep))[:6], before[:6])
        self.assertEqual(self.client.setattr("file", owner=(before.uid, keep))[:6], before[:6])
        if os.geteuid() == 0:
            changed = self.client.setattr("file", owner=(keep, 1234))
            self.assertEqual((changed.uid, changed.gid), (before.uid, 1234))
        changed = self.client.setattr("file", times=(-5, 1_500_000_001))
        self.assertEqual((changed.modified, changed.accessed), (-5, 1_500_000_001))
        self.assertNotEqual(changed.version, before.version)

    def test_neither_file_nor_directory(self):
        os.mkfifo(self.root / "fifo")
        self.assertEqual(self.client.getattr("fifo").type, 4)
        self.refused("denied", self.client.lookup, 1, "fifo")
        self.refused("denied", self.client.truncate, "fifo", 0)
        self.refused("denied", self.client.setattr, "fifo", 0o600)
        self.refused("denied", self.client.readdir, "fifo")
        for size in (3, 300_000):
            self.refused("exists", self.client.upload, "fifo", bytes(size))
        self.put("file")
        self.refused("exists", self.client.rename, "file", "fifo")
        self.assertTrue(stat.S_ISFIFO((self.root / "fifo").lstat().st_mode))
        self.client.rename("fifo", "renamed")
        self.client.remove("renamed")


class Directories(Case):
    def test_a_listing_is_complete_whatever_its_pages(self):
        names = {f"file-{i}".encode() for i in range(1200)}
        for name in names:
            self.put(os.fsdecode(name), b"")
        self.assertEqual(set(self.client.readdir("")), names)
        first, cookie = self.client.page("")
        self.assertEqual(len(first), 512)
        self.assertEqual(self.client.page("", cookie), self.connect().page("", cookie))

    def test_a_cookie_that_cannot_be_one_is_refused(self):
        for cookie in (2**63, 2**64 - 1):
            self.refused("usage", self.client.page, "", cookie)

    def test_a_file_is_no_directory(self):
        self.put("file")
        self.refused("usage", self.client.readdir, "file")


class WithoutRights(Case):
    options = ("--congestion=system",)
    settings = {"nobody": True}

    def test_a_directory_is_listed_with_all_attributes_or_not_at_all(self):
        for name, mode in (("no-x", 0o400), ("no-r", 0o100), ("none", 0)):
            with self.subTest(name):
                path = self.root / name
                path.mkdir()
                self.put(name + "/file")
                if os.geteuid() == 0:
                    os.chown(path, NOBODY, NOBODY)
                path.chmod(mode)
                self.addCleanup(path.chmod, 0o700)
                self.refused("denied", self.client.readdir, name)

    def test_others_files_are_denied(self):
        if os.geteuid() != 0:
            self.skipTest("only root can make files of others")
        self.put("root's")
        (self.root / "root's").chmod(0o600)
        self.refused("denied", self.client.lookup, 1, "root's")
        self.refused("denied", self.client.truncate, "root's", 0)
        self.refused("denied", self.client.setattr, "root's", 0o644)
        self.assertEqual(self.client.getattr("root's").size, 7)
