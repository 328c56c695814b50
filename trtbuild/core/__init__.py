"""What every box stands on: errors, values, records, digests, the store."""
