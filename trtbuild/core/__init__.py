"""What every box stands on: errors, options, values, records, digests, files and locks."""
