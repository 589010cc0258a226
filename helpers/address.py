"""Where this course can be fetched from, and the links that open a lesson of it elsewhere.

The address stands once, in the table `[address]` of data/course.toml; `python tools/address.py owner/name` changes it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

__all__ = ["Address"]


@dataclass(frozen=True)
class Address:
    """The home of the course, or of somebody's fork of it.

    Attributes:
        repository: on GitHub, "owner/name"; empty while it is not known.
        branch: what is launched.
        hub: the address of a JupyterHub that has nbgitpuller, such as "https://hub.example.org"; empty without one.

    Raises:
        ValueError: a field has another form.
    """

    repository: str = ""
    branch: str = "main"
    hub: str = ""

    def __post_init__(self) -> None:
        if self.repository and not re.fullmatch(r"[\w.-]+/[\w.-]+", self.repository):
            raise ValueError(f'The repository is written "owner/name", as on GitHub; got {self.repository!r}.')
        if self.hub and not re.fullmatch(r"https?://[^\s/]+(/[^\s?#]*)?", self.hub):
            raise ValueError(f'The hub is written "https://hub.example.org"; got {self.hub!r}.')
        if not re.fullmatch(r"[^\s~^:?*\[\\]+", self.branch):
            raise ValueError(f'The branch or tag is written as git knows it, such as "main"; got {self.branch!r}.')

    def site(self) -> str:
        """Return where GitHub Pages shows the course's site; empty while the repository is not known."""
        owner, _, name = self.repository.lower().partition("/")
        if not owner:
            return ""
        return f"https://{owner}.github.io/" + (
            f"{self.repository.split('/')[1]}/" if name != f"{owner}.github.io" else ""
        )

    def binder(self, file: str = "notebooks/00_start_here.ipynb") -> str:
        """Return the link that opens a file of the course on mybinder.org."""
        return (
            f"https://mybinder.org/v2/gh/{self.repository}/{quote(self.branch, safe='')}"
            f"?urlpath={quote(f'lab/tree/{file}', safe='')}"
        )

    def nbgitpuller(self, file: str = "notebooks/00_start_here.ipynb") -> str:
        """Return the link that fetches the course into a learner's home on the hub, or renews it, and opens a file."""
        name = self.repository.split("/")[-1]
        return (
            f"{self.hub.rstrip('/')}/hub/user-redirect/git-pull"
            f"?repo={quote(f'https://github.com/{self.repository}', safe='')}"
            f"&branch={quote(self.branch, safe='')}&urlpath={quote(f'lab/tree/{name}/{file}', safe='')}"
        )

    def launch(self, file: str) -> str:
        """Return the links of a lesson in Markdown: a badge for Binder, and a link for the hub; empty without them."""
        if not self.repository:
            return ""
        links = [f"[![Open in Binder](https://mybinder.org/badge_logo.svg)]({self.binder(file)})"]
        return " ".join(links + ([f"[Open on the hub]({self.nbgitpuller(file)})"] if self.hub else []))
