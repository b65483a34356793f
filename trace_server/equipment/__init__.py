"""Register of special equipment 特种设备: identity, dates, owner, inspections and the state of each thing."""
