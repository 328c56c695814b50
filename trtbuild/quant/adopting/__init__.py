"""Models that are quantized already: taken on and repaired."""
