"""What the paper cites or leaves to the future: two views, unlabelled pictures, clinical data."""
