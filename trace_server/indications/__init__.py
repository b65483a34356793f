"""Register of geographical indications (地理标志): protected areas, seasons, ceilings and who may use the mark."""
