"""The interface for the credit office: pull changes by a cursor, hand decisions in, look at one subject."""
