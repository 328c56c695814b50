"""Requests that come at a rate of their own: when, how they are served, and what it comes to."""
