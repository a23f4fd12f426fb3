"""The images of a document's pages, for the staff: no file from outside runs in their browsers.

drawing.py   bytes to images and text, in the child process
bounded.py   its limits, and what is taken from its answer
queue.py     which documents wait for their images; images go with the document's file
reading.py   what the text of a document says: its date, the quotient familial
"""
