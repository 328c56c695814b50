"""Detection: from what a head puts out to boxes, and how close two sets of boxes are."""
