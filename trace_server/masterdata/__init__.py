"""EPCIS master data: vocabularies of places and goods, as captured, and queries of them."""
