"""The Customers API: creates, finds, changes and deletes the customers of the back office."""
