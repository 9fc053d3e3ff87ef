# SPDX-License-Identifier: MIT
"""What decides whether the archive of `./dev package` runs by itself."""

import shutil
import tempfile
import unittest
from pathlib import Path

import archive_check
import run_paths

ROOT = Path("/somewhere/impasto")


class ArchiveCheck(unittest.TestCase):
    def test_a_library_of_the_machine_is_a_stranger(self):
        paths = [f"{ROOT}/lib/libvips.so.42", "/usr/lib/libvips.so.42", "/usr/lib/libgomp.so.1"]
        found = archive_check.strangers(paths, ROOT)
        self.assertEqual(found, ["/usr/lib/libgomp.so.1", "/usr/lib/libvips.so.42"])

    def test_a_library_that_is_not_found_is_a_stranger(self):
        self.assertEqual(len(archive_check.strangers(["libfmt.so.9 not found"], ROOT)), 1)

    def test_the_libraries_of_c_and_c_plus_plus_and_nvidia_s_are_the_machine_s(self):
        names = ("libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "libstdc++.so.6", "libcudnn.so.9", "libcuda.so.1")
        paths = [f"/usr/lib/{name}" for name in (*names, "libcublasLt.so.13", "libnvrtc.so.13")]
        self.assertEqual(archive_check.strangers(paths, ROOT), [])
        paths = ["/usr/lib/libcurl.so.4", "/usr/lib/libmount.so.1"]
        self.assertEqual(archive_check.strangers(paths, ROOT), paths)

    def test_a_run_path_that_depends_on_the_current_folder_is_bad(self):
        for part in ("/usr/lib", "$ORIGIN", "$ORIGIN/../lib", "${ORIGIN}"):
            self.assertTrue(run_paths.is_fixed(part), part)
        for part in ("", "lib", ".", "$ORIGINAL", "$LIB/x"):
            self.assertFalse(run_paths.is_fixed(part), part)

    def test_an_archive_of_debian_12_asks_for_no_more_than_ubuntu_22_04_has(self):
        kept = {"GLIBC": "2.35", "GLIBCXX": "3.4.9"}
        self.assertEqual(archive_check.broken_promise(kept, "2.36"), "")
        newer = {"GLIBC": "2.36", "GLIBCXX": "3.4.30"}
        self.assertEqual(archive_check.broken_promise(newer, "2.36"), "GLIBC_2.36")
        self.assertEqual(archive_check.broken_promise(newer, "2.41"), "", "made elsewhere, it says what it needs")
        self.assertEqual(archive_check.broken_promise({"GLIBC": "2.4", "GLIBCXX": "3.4.32"}, "2.36"), "GLIBCXX_3.4.32")

    def test_the_loader_s_word_is_understood(self):
        with tempfile.TemporaryDirectory() as folder:
            trace = Path(folder) / "trace.1"
            trace.write_text("  7:\tfind library=libm.so.6 [0]\n  7:\tcalling init: /nowhere/libm.so.6\n")
            self.assertEqual(archive_check.loaded([trace]), ["/nowhere/libm.so.6"])

    def test_a_program_s_libraries_are_found(self):
        paths = archive_check.needed(Path(shutil.which("sh")))
        self.assertTrue(any(Path(path).name.startswith("libc.so") for path in paths), paths)


if __name__ == "__main__":
    unittest.main()
