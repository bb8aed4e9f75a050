"""The record in the forms that other programs read: tables, and a tracking store."""
