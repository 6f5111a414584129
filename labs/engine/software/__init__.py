"""What hosts are made from: taken from the cache, or built from language registries."""
