"""What can happen at the merchant's: each act changes the world and says which webhooks follow."""
