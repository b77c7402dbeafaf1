"""The database: its schema, migrations, first data, and who may do what in it."""
