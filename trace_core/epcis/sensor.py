"""Sensor data inside an event (EPCIS 2.0.1 sections 7.3.7 and 7.4.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from trace_core.epcis.checks import Extensions, require_aware, require_names, require_number, require_uri
from trace_core.errors import EventError

_HEX = re.compile(r"[0-9A-Fa-f]+\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorMetadata:
    """What all reports of one sensor element share. Times are aware."""

    time: datetime | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    device_id: str | None = None
    device_metadata: str | None = None
    raw_data: str | None = None
    data_processing_method: str | None = None
    biz_rules: str | None = None
    extensions: Extensions = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_aware(self.time, "time")
        require_aware(self.start_time, "startTime")
        require_aware(self.end_time, "endTime")
        require_uri(self.device_id, "deviceID")
        require_uri(self.device_metadata, "deviceMetadata")
        require_uri(self.raw_data, "rawData")
        require_uri(self.data_processing_method, "dataProcessingMethod")
        require_uri(self.biz_rules, "bizRules")
        require_names(self.extensions, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorReport:
    """One measurement. `uom` is a UN/CEFACT code; numbers are in that unit."""

    type: str
    exception: str | None = None
    device_id: str | None = None
    device_metadata: str | None = None
    raw_data: str | None = None
    data_processing_method: str | None = None
    biz_rules: str | None = None
    """Allowed by the JSON schema, absent from the XML schema and from the event hash."""
    time: datetime | None = None
    microorganism: str | None = None
    chemical_substance: str | None = None
    value: float | None = None
    component: str | None = None
    string_value: str | None = None
    boolean_value: bool | None = None
    hex_binary_value: str | None = None
    uri_value: str | None = None
    min_value: float | None = None
    max_value: float | None = None
    mean_value: float | None = None
    s_dev: float | None = None
    perc_rank: float | None = None
    perc_value: float | None = None
    uom: str | None = None
    coordinate_reference_system: str | None = None
    extensions: Extensions = field(default_factory=dict)

    _URIS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("type", "type"),
        ("exception", "exception"),
        ("device_id", "deviceID"),
        ("device_metadata", "deviceMetadata"),
        ("raw_data", "rawData"),
        ("data_processing_method", "dataProcessingMethod"),
        ("biz_rules", "bizRules"),
        ("microorganism", "microorganism"),
        ("chemical_substance", "chemicalSubstance"),
        ("component", "component"),
        ("uri_value", "uriValue"),
        ("coordinate_reference_system", "coordinateReferenceSystem"),
    )
    _NUMBERS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("value", "value"),
        ("min_value", "minValue"),
        ("max_value", "maxValue"),
        ("mean_value", "meanValue"),
        ("s_dev", "sDev"),
        ("perc_rank", "percRank"),
        ("perc_value", "percValue"),
    )

    def __post_init__(self) -> None:
        require_aware(self.time, "time")
        for attribute, name in self._URIS:
            require_uri(getattr(self, attribute), name)
        for attribute, name in self._NUMBERS:
            require_number(getattr(self, attribute), name)
        if self.hex_binary_value is not None and not _HEX.match(self.hex_binary_value):
            raise EventError("hexBinaryValue must be hex digits", where="hexBinaryValue")
        require_names(self.extensions, "")


@dataclass(frozen=True, slots=True)
class SensorElement:
    """Reports and what they share."""

    sensor_report: tuple[SensorReport, ...]
    sensor_metadata: SensorMetadata | None = None
    extensions: Extensions = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.sensor_report:
            raise EventError("a sensor element has at least one report", where="sensorReport")
        require_names(self.extensions, "")
