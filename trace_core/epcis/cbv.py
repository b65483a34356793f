"""The vocabularies of CBV 2.0 and GS1: short name ↔ web URI ↔ URN of EPCIS 1.x.

Events hold web URIs; JSON writes short names; EPCIS 1.x XML writes URNs.
Source: CBV 2.0 section 7 and the ratified EPCIS 2.0.1 JSON-LD context.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, auto

CBV = "https://ref.gs1.org/cbv/"
GS1_VOC = "https://ref.gs1.org/voc/"


class BizStep(StrEnum):
    """Step of a business process; each member is its short name."""

    ACCEPTING = auto()
    ARRIVING = auto()
    ASSEMBLING = auto()
    COLLECTING = auto()
    COMMISSIONING = auto()
    CONSIGNING = auto()
    CREATING_CLASS_INSTANCE = auto()
    CYCLE_COUNTING = auto()
    DECOMMISSIONING = auto()
    DEPARTING = auto()
    DESTROYING = auto()
    DISASSEMBLING = auto()
    DISPENSING = auto()
    ENCODING = auto()
    ENTERING_EXITING = auto()
    HOLDING = auto()
    INSPECTING = auto()
    INSTALLING = auto()
    KILLING = auto()
    LOADING = auto()
    OTHER = auto()
    PACKING = auto()
    PICKING = auto()
    RECEIVING = auto()
    REMOVING = auto()
    REPACKAGING = auto()
    REPAIRING = auto()
    REPLACING = auto()
    RESERVING = auto()
    RETAIL_SELLING = auto()
    SAMPLING = auto()
    SENSOR_REPORTING = auto()
    SHIPPING = auto()
    STAGING_OUTBOUND = auto()
    STOCK_TAKING = auto()
    STOCKING = auto()
    STORING = auto()
    TRANSPORTING = auto()
    UNLOADING = auto()
    UNPACKING = auto()
    VOID_SHIPPING = auto()

    @property
    def uri(self) -> str:
        return BIZ_STEPS.prefix + self.value


class Disposition(StrEnum):
    """Condition of the objects after the event; each member is its short name."""

    ACTIVE = auto()
    AVAILABLE = auto()
    COMPLETENESS_VERIFIED = auto()
    COMPLETENESS_INFERRED = auto()
    CONFORMANT = auto()
    CONTAINER_CLOSED = auto()
    CONTAINER_OPEN = auto()
    DAMAGED = auto()
    DESTROYED = auto()
    DISPENSED = auto()
    DISPOSED = auto()
    ENCODED = auto()
    EXPIRED = auto()
    IN_PROGRESS = auto()
    IN_TRANSIT = auto()
    INACTIVE = auto()
    MISMATCH_INSTANCE = auto()
    MISMATCH_CLASS = auto()
    MISMATCH_QUANTITY = auto()
    NEEDS_REPLACEMENT = auto()
    NO_PEDIGREE_MATCH = auto()
    NON_CONFORMANT = auto()
    NON_SELLABLE_OTHER = auto()
    PARTIALLY_DISPENSED = auto()
    RECALLED = auto()
    RESERVED = auto()
    RETAIL_SOLD = auto()
    RETURNED = auto()
    SELLABLE_ACCESSIBLE = auto()
    SELLABLE_NOT_ACCESSIBLE = auto()
    STOLEN = auto()
    UNAVAILABLE = auto()
    UNKNOWN = auto()

    @property
    def uri(self) -> str:
        return DISPOSITIONS.prefix + self.value


class BizTransactionType(StrEnum):
    """Kind of business document; each member is its short name."""

    BOL = auto()
    CERT = auto()
    DESADV = auto()
    INV = auto()
    PEDIGREE = auto()
    PO = auto()
    POC = auto()
    PRODORDER = auto()
    RECADV = auto()
    RMA = auto()
    TESTPRD = auto()
    TESTRES = auto()
    UPEVT = auto()

    @property
    def uri(self) -> str:
        return BIZ_TRANSACTION_TYPES.prefix + self.value


class SourceDestinationType(StrEnum):
    """What a source or destination names; each member is its short name."""

    OWNING_PARTY = auto()
    POSSESSING_PARTY = auto()
    LOCATION = auto()

    @property
    def uri(self) -> str:
        return SOURCE_DESTINATION_TYPES.prefix + self.value


class ErrorReason(StrEnum):
    """Why an event is declared wrong; each member is its short name."""

    DID_NOT_OCCUR = auto()
    INCORRECT_DATA = auto()

    @property
    def uri(self) -> str:
        return ERROR_REASONS.prefix + self.value


class SensorException(StrEnum):
    """What a sensor report warns of; each member is its short name."""

    ALARM_CONDITION = "ALARM_CONDITION"
    ERROR_CONDITION = "ERROR_CONDITION"

    @property
    def uri(self) -> str:
        return SENSOR_EXCEPTIONS.prefix + self.value


_COMPONENTS = (
    "x y z axial_distance azimuth height spherical_radius polar_angle elevation_angle easting northing latitude "
    "longitude altitude"
)
_MEASUREMENTS = (
    "AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Radioactivity Altitude AmountOfSubstance "
    "AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum AngularVelocity Area Capacitance "
    "Conductance Conductivity Count Density Dimensionless DoseEquivalent DoseEquivalentRate DynamicViscosity "
    "ElectricCharge ElectricCurrent ElectricCurrentDensity ElectricFieldStrength Energy Exposure Force Frequency "
    "Illuminance Inductance Irradiance KinematicViscosity Length LinearMomentum Luminance LuminousFlux "
    "LuminousIntensity MagneticFlux MagneticFluxDensity MagneticVectorPotential Mass MassConcentration MassFlowRate "
    "MassPerAreaTime MemoryCapacity MolalityOfSolute MolarEnergy MolarMass MolarVolume Power Pressure RadiantFlux "
    "RadiantIntensity RelativeHumidity Resistance Resistivity SolidAngle SpecificVolume Speed SurfaceDensity "
    "SurfaceTension Temperature Time Torque Voltage Volume VolumeFlowRate VolumeFraction VolumetricFlux Wavenumber"
)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """One list of names. `prefix + name` is the web URI, `urn_prefix + name` the URN where EPCIS 1.x had one."""

    title: str
    prefix: str
    names: frozenset[str]
    urn_prefix: str | None = None

    def uri(self, text: str) -> str | None:
        """Web URI of a short name, a URN of this list or any URI (unchanged). None for a word not in the list."""
        if text in self.names:
            return self.prefix + text
        if self.urn_prefix is not None and text.startswith(self.urn_prefix):
            return self.prefix + text[len(self.urn_prefix) :]
        return text if ":" in text else None

    def short(self, uri: str) -> str:
        """Short name of a web URI of this list; any other URI unchanged."""
        name = uri[len(self.prefix) :]
        return name if name in self.names and uri.startswith(self.prefix) else uri

    def urn(self, uri: str) -> str:
        """URN of a web URI of this list, as EPCIS 1.x and XML write it; any other URI unchanged."""
        name = self.short(uri)
        return self.urn_prefix + name if self.urn_prefix is not None and name is not uri else uri


def _of(title: str, members: type[StrEnum], prefix: str, urn_prefix: str | None) -> Vocabulary:
    return Vocabulary(title, prefix, frozenset(member.value for member in members), urn_prefix)


BIZ_STEPS = _of("business step", BizStep, CBV + "BizStep-", "urn:epcglobal:cbv:bizstep:")
DISPOSITIONS = _of("disposition", Disposition, CBV + "Disp-", "urn:epcglobal:cbv:disp:")
BIZ_TRANSACTION_TYPES = _of("business transaction type", BizTransactionType, CBV + "BTT-", "urn:epcglobal:cbv:btt:")
SOURCE_DESTINATION_TYPES = _of(
    "source or destination type", SourceDestinationType, CBV + "SDT-", "urn:epcglobal:cbv:sdt:"
)
ERROR_REASONS = _of("error reason", ErrorReason, CBV + "ER-", "urn:epcglobal:cbv:er:")
SENSOR_EXCEPTIONS = _of("sensor exception", SensorException, GS1_VOC, None)
COMPONENTS = Vocabulary("component", CBV + "Comp-", frozenset(_COMPONENTS.split()))
MEASUREMENTS = Vocabulary("measurement type", GS1_VOC, frozenset(_MEASUREMENTS.split()))

_BY_URN = (BIZ_STEPS, DISPOSITIONS, BIZ_TRANSACTION_TYPES, SOURCE_DESTINATION_TYPES, ERROR_REASONS)


def web_uri(text: str) -> str:
    """Web URI of a CBV URN of any list; anything else unchanged."""
    if text.startswith("urn:epcglobal:cbv:"):
        for vocabulary in _BY_URN:
            uri = vocabulary.uri(text)
            if uri is not None and uri is not text:
                return uri
    return text
