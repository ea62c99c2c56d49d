"""Looking at dead letters, and putting them back after what refused them was mended."""
