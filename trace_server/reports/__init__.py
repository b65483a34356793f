"""Credit reports as signed PDF files that anybody can verify by number."""
