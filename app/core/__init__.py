"""What knows no business. Importing it puts the forms' sentences in place, before any form is defined."""

from app.core import sentences

sentences.install()
