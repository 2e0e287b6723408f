"""What people and programs send, checked by one set of rules: forms and the API load the same schemas."""
