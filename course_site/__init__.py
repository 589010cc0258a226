"""The course as a site that needs no server: `make site`, and `make handouts` for teachers."""
