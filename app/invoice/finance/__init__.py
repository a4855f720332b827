"""Invoices at the desk of finance: found, held, taken back, and many of them in one file."""
