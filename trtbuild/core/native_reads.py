"""What is read without Python's knowledge, by a library of C or a program: heard of by inotify.

It says which files of a folder were opened, not by whom: another process that opens a file there
meanwhile makes it count too, which costs a needless run at worst. Where there is no inotify, such
reads are not heard of, and `files:` declares them.
"""

from __future__ import annotations

import contextlib
import os
import select
import struct
import sys
import threading
from typing import Any

__all__ = ["NativeReads"]

OPENED, ONLY_FOLDERS, IS_FOLDER = 0x20, 0x01000000, 0x40000000  # linux/inotify.h
OVERFLOW = 0x4000
MOST_FOLDERS, MOST_IN_TREES = 4000, 500
BUFFER = 1 << 16
EVENT = struct.Struct("iIII")
YAML = (".yaml", ".yml")
OTHERS = (".py", ".pyc", ".pyi", *YAML, ".lock", ".toml", ".md", ".part")
"""What Python reads itself, so that it is heard anyway, and what editors and trtbuild open."""
SKIPPED = frozenset(
    {
        "node_modules", "__pycache__", "site-packages", ".git", ".hg", ".svn", ".idea", ".vscode",
        ".tox", ".nox", ".eggs", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis",
        ".ipynb_checkpoints",
    }
)  # fmt: skip
"""Where editors and tools open their own files at any time."""
LATER = ("build",)
"""Beside hidden ones: folders that are less likely to be read, where not all can be watched."""


class NativeReads:
    """Hears which files are opened in folders, from the moment that they are watched."""

    def __init__(self) -> None:
        self.opened: set[str] = set()
        self.lost = False
        """More happened than the kernel remembers."""
        self.unwatched = False
        """There are more folders than can be watched."""
        self._watched: set[str] = set()
        self._folders: dict[int, list[str]] = {}
        """Each may be reached by several paths."""
        self._links: dict[str, set[str]] = {}
        self._unclear: set[str] = set()
        self._libc: Any = None
        self._handle = -1
        if sys.platform == "linux":
            with contextlib.suppress(OSError, AttributeError):
                import ctypes

                self._libc = ctypes.CDLL(None)
                self._add = self._libc.inotify_add_watch
                self._handle = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self._ended, self._end = os.pipe()
        self._thread = threading.Thread(target=self._listen, daemon=True, name="native reads")
        if self._handle >= 0:
            self._thread.start()

    def watch(self, folder: str) -> None:
        """Hear of files in a folder, if it is one."""
        if self._handle < 0 or folder in self._watched or len(self._watched) >= MOST_FOLDERS:
            return
        self._watched.add(folder)
        number = self._add(self._handle, os.fsencode(folder), OPENED | ONLY_FOLDERS)
        if number >= 0:
            self._folders.setdefault(number, []).append(folder)
            self._follow(folder)

    def _follow(self, folder: str) -> None:
        """Hear of files that links in a folder lead to: the folder itself tells nothing of them."""
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for link in (each.path for each in entries if each.is_symlink()):
                target = os.path.realpath(link)
                if os.path.isfile(target):  # noqa: PTH113
                    self._links.setdefault(target, set()).add(link)
                    self.watch(os.path.dirname(target))  # noqa: PTH120

    def watch_tree(self, root: str) -> None:
        """Hear of files in a folder and those in it, but for what tools keep there.

        Hidden folders come last, where that many can be watched; not those of a home, which many
        programs read at any time.
        """
        seen: set[str] = set()
        roots = [root]
        while roots:
            later = self._watch_below(roots, seen)
            if os.path.realpath(root) == os.path.realpath(os.path.expanduser("~")):  # noqa: PTH111
                return
            roots = later

    def _watch_below(self, roots: list[str], seen: set[str]) -> list[str]:
        """Watch folders and those in them; return those that are to come later."""
        later = []
        for folder, inner, files in (
            each for root in roots for each in os.walk(root, followlinks=True)
        ):
            there = os.path.realpath(folder)
            if there in seen or "pyvenv.cfg" in files or ".trtbuild.json" in files:
                inner.clear()
                continue
            seen.add(there)
            if len(self._watched) >= MOST_IN_TREES:
                self.unwatched = True
                return []
            self.watch(folder)
            wanted = sorted(each for each in inner if each not in SKIPPED)
            put_off = [each for each in wanted if each[0] == "." or each in LATER]
            later += [os.path.join(folder, each) for each in put_off]  # noqa: PTH118
            inner[:] = [each for each in wanted if each not in put_off]
        return later

    def close(self) -> None:
        """Hear the last, and end."""
        os.close(self._end)
        if self._handle >= 0:
            self._thread.join()
            self._drain()
            os.close(self._handle)
        os.close(self._ended)
        # Not sooner: to look into a file is to open it.
        self.opened |= set(filter(_is_opencv_s, self._unclear))

    def _listen(self) -> None:
        while True:
            ready, _, _ = select.select([self._handle, self._ended], [], [])
            self._drain()
            if self._ended in ready:
                return

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._handle, BUFFER):
                at = 0
                while at < len(data):
                    number, mask, _, length = EVENT.unpack_from(data, at)
                    at += EVENT.size + length
                    self.lost |= bool(mask & OVERFLOW)
                    name = data[at - length : at].rstrip(b"\0")
                    if name and not mask & IS_FOLDER:
                        for folder in self._folders.get(number, ()):
                            self._take(folder, os.fsdecode(name))

    def _take(self, folder: str, name: str) -> None:
        path = os.path.join(folder, name)  # noqa: PTH118
        if not name.endswith(OTHERS):
            self.opened |= {path, *self._links.get(path, ())}
        elif name.endswith(YAML):
            self._unclear.add(path)


def _is_opencv_s(path: str) -> bool:
    """Tell whether a file is YAML as OpenCV writes and reads it: Python is not asked for it."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read(5) == b"%YAML"
    except OSError:
        return False
