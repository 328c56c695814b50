"""Steps on the machines of a Ray cluster; Ray is imported where one is asked for."""
