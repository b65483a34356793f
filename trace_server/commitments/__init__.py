"""Credit commitments (信用承诺): who promised what, whether it was kept, and what follows when it was not."""
