# The version before kept an order's invoice one by its order's number, and does not write `live_key`. Written by hand.
from peewee import *


def up(migrator, db):
    say_which_live(db)
    migrator.migrate(migrator.drop_index('invoice', 'invoice_order_id'))


def say_which_live(db):
    """As 0150: once more for what the version before wrote in between."""
    invoice = Table('invoice', ('id', 'order_id', 'status', 'live_key')).bind(db)
    over = invoice.status.in_(['cancelled', 'reversed'])
    invoice.update({invoice.live_key: None}).where(invoice.live_key.is_null(False) & over).execute()
    invoice.update({invoice.live_key: invoice.order_id}).where(invoice.live_key.is_null() & ~over).execute()


def down(migrator, db):
    migrator.migrate(migrator.add_index('invoice', ('order_id',), True))
