"""The look of the pages for people who work here: one frame, one style sheet, one list of places to go."""
