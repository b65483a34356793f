"""Gateways behind an MQTT 5 broker: their requests come on `gw/<id>/up` and are answered as over HTTP."""
