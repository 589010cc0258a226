"""Scenery for the lessons: data, pictures, widgets and checks. Import the modules, not names from here."""
