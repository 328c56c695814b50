"""How fast models and engines are: one protocol, whatever runs them."""
