"""The hosts: how they are made, reached and watched, whatever provides them."""
