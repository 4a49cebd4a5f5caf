"""`predict`: operating points in a table, their figures beside them."""
