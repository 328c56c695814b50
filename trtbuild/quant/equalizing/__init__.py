"""Equalizing: channels of an activation brought to one size, and the weights around it as well."""
