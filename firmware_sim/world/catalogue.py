"""Sample enterprises, sites, products. All names say 示例 (sample); all keys are of GS1 prefix 952, kept for demos."""

from __future__ import annotations

from dataclasses import dataclass

from firmware_sim.world.model import Place, PlaceKind, Producer, Product
from trace_core.ids.gs1 import check_digit
from trace_core.ids.uscc import check_character, subject_check_character


@dataclass(frozen=True, slots=True)
class MadeFrom:
    """What one unit of a product uses up: (GTIN of the input, amount in the input's own unit)."""

    inputs: tuple[tuple[str, float], ...]


COOPERATIVE, COMPANY = "93", "91"
"""First two characters of a USCC: farmers' cooperative, enterprise (GB 32100-2015)."""


def _producer(
    number: int, kind: str, region: str, name: str, name_en: str, site: str, site_en: str, place: PlaceKind
) -> Producer:
    prefix = f"952100{number}"
    subject = f"MAYX000{number}"
    first_17 = f"{kind}{region}{subject}{subject_check_character(subject)}"
    uscc = first_17 + check_character(first_17)
    return Producer(uscc, name, name_en, region, prefix, _place(prefix, 1, f"{name}{site}", site_en, place, uscc))


def _place(prefix: str, reference: int, name: str, name_en: str, kind: PlaceKind, owner: str) -> Place:
    body = f"{prefix}{reference:05d}"
    uri = f"urn:epc:id:sgln:{prefix}.{reference:05d}"
    return Place(
        gln=body + check_digit(body),
        uri=f"{uri}.0",
        read_point=f"{uri}.1",
        name=name,
        name_en=name_en,
        city="盐城市",
        city_en="Yancheng",
        kind=kind,
        owner_uscc=owner,
    )


VEGETABLES = _producer(
    1,
    COOPERATIVE,
    "320902",
    "盐城示例一号蔬菜专业合作社",
    "Yancheng Sample No. 1 Vegetable Cooperative",
    "种植基地",
    "growing base of Yancheng Sample No. 1 Vegetable Cooperative",
    PlaceKind.FARM,
)
RICE = _producer(
    2,
    COMPANY,
    "320924",
    "射阳示例稻米农场有限公司",
    "Sheyang Sample Rice Farm Co., Ltd.",
    "稻米加工点",
    "rice mill of Sheyang Sample Rice Farm",
    PlaceKind.FARM,
)
COWS = _producer(
    3,
    COMPANY,
    "320904",
    "大丰示例奶牛养殖有限公司",
    "Dafeng Sample Dairy Farm Co., Ltd.",
    "牧场",
    "pasture of Dafeng Sample Dairy Farm",
    PlaceKind.FARM,
)
DAIRY = _producer(
    4,
    COMPANY,
    "320903",
    "盐城示例乳品有限公司",
    "Yancheng Sample Dairy Co., Ltd.",
    "乳品厂",
    "plant of Yancheng Sample Dairy",
    PlaceKind.PROCESSOR,
)
DRUGS = _producer(
    5,
    COMPANY,
    "320902",
    "盐城示例制药有限公司",
    "Yancheng Sample Pharmaceutical Co., Ltd.",
    "制剂车间",
    "works of Yancheng Sample Pharmaceutical",
    PlaceKind.PROCESSOR,
)
CAKES = _producer(
    6,
    COMPANY,
    "320981",
    "东台示例糕点食品有限公司",
    "Dongtai Sample Cake and Food Co., Ltd.",
    "糕点车间",
    "bakery of Dongtai Sample Cake and Food",
    PlaceKind.PROCESSOR,
)
PRODUCERS = (VEGETABLES, RICE, COWS, DAIRY, DRUGS, CAKES)

_MARKET = _producer(
    7,
    COMPANY,
    "320902",
    "盐城示例农产品批发市场有限公司",
    "Yancheng Sample Wholesale Market Co., Ltd.",
    "北门",
    "north gate of Yancheng Sample Wholesale Market",
    PlaceKind.WHOLESALE_GATE,
)
_PHARMACY = _producer(
    8,
    COMPANY,
    "320903",
    "盐城示例大药房有限公司",
    "Yancheng Sample Pharmacy Co., Ltd.",
    "收货口",
    "goods entrance of Yancheng Sample Pharmacy",
    PlaceKind.DRUG_STORE,
)
MARKET_GATE = _MARKET.place
PHARMACY_GATE = _PHARMACY.place
DEALERS = (_MARKET, _PHARMACY)
"""They own the gates; they make nothing."""
PLACES = (*(producer.place for producer in PRODUCERS), MARKET_GATE, PHARMACY_GATE)

COOL, DRY = ("0～4 ℃冷藏", "keep at 0 to 4 °C"), ("阴凉干燥处", "keep cool and dry")


def _product(  # noqa: PLR0913 - one row of a table
    producer: Producer,
    reference: int,
    names: tuple[str, str],
    category: str,
    specs: tuple[str, str],
    ingredients: tuple[str, str],
    standard: str,
    *,
    storage: tuple[str, str],
    shelf_days: int,
    uom: str = "",
    approval_no: str = "",
) -> Product:
    body = f"0{producer.company_prefix}{reference:05d}"
    return Product(
        gtin=body + check_digit(body),
        name=names[0],
        name_en=names[1],
        category=category,
        spec=specs[0],
        spec_en=specs[1],
        producer_uscc=producer.uscc,
        ingredients=ingredients[0],
        ingredients_en=ingredients[1],
        standard=standard,
        storage=storage[0],
        storage_en=storage[1],
        origin="江苏盐城",
        origin_en="Yancheng, Jiangsu",
        approval_no=approval_no,
        shelf_days=shelf_days,
        uom=uom,
        is_tagged=not uom,
    )


GREENS = _product(
    VEGETABLES,
    1,
    ("示例青菜", "Sample pak choi"),
    "agricultural",
    ("10 kg/筐", "10 kg crate"),
    ("青菜", "pak choi"),
    "GB 2763-2021",
    storage=COOL,
    shelf_days=7,
)
TOMATOES = _product(
    VEGETABLES,
    2,
    ("示例番茄", "Sample tomatoes"),
    "agricultural",
    ("5 kg/箱", "5 kg box"),
    ("番茄", "tomatoes"),
    "GB 2763-2021",
    storage=COOL,
    shelf_days=14,
)
PADDY = _product(
    RICE,
    1,
    ("示例稻谷", "Sample paddy"),
    "agricultural",
    ("散装", "bulk"),
    ("粳稻", "japonica paddy"),
    "GB 1350-2009",
    storage=DRY,
    shelf_days=365,
    uom="KGM",
)
MILLED_RICE = _product(
    RICE,
    2,
    ("示例大米", "Sample rice"),
    "food",
    ("5 kg/袋", "5 kg bag"),
    ("粳米", "japonica rice"),
    "GB/T 1354-2018",
    storage=DRY,
    shelf_days=270,
)
RAW_MILK = _product(
    COWS,
    1,
    ("示例生鲜乳", "Sample raw milk"),
    "agricultural",
    ("罐装运输", "tank"),
    ("生牛乳", "raw cow's milk"),
    "GB 19301-2010",
    storage=COOL,
    shelf_days=3,
    uom="KGM",
)
MILK = _product(
    DAIRY,
    1,
    ("示例巴氏杀菌乳", "Sample pasteurised milk"),
    "food",
    ("950 mL/盒", "950 mL carton"),
    ("生牛乳", "raw cow's milk"),
    "GB 19645-2010",
    storage=COOL,
    shelf_days=10,
)
YOGHURT = _product(
    DAIRY,
    2,
    ("示例发酵乳", "Sample yoghurt"),
    "food",
    ("200 g/杯", "200 g cup"),
    ("生牛乳、发酵菌种", "raw cow's milk, cultures"),
    "GB 19302-2010",
    storage=COOL,
    shelf_days=21,
)
VITAMIN_C = _product(
    DRUGS,
    1,
    ("示例维生素C片", "Sample vitamin C tablets"),
    "drug",
    ("0.1 g×100 片", "0.1 g × 100 tablets"),
    ("维生素C", "ascorbic acid"),
    "中国药典 2020 年版二部",
    storage=DRY,
    shelf_days=730,
    approval_no="国药准字H00000001",
)
PARACETAMOL = _product(
    DRUGS,
    2,
    ("示例对乙酰氨基酚片", "Sample paracetamol tablets"),
    "drug",
    ("0.5 g×12 片", "0.5 g × 12 tablets"),
    ("对乙酰氨基酚", "paracetamol"),
    "中国药典 2020 年版二部",
    storage=DRY,
    shelf_days=1_095,
    approval_no="国药准字H00000002",
)
RICE_CAKE = _product(
    CAKES,
    1,
    ("示例奶香米糕", "Sample milk rice cake"),
    "food",
    ("300 g/盒", "300 g box"),
    ("大米、巴氏杀菌乳、白砂糖", "rice, pasteurised milk, sugar"),
    "GB/T 20977-2014",
    storage=DRY,
    shelf_days=45,
)

PRODUCTS = (
    GREENS,
    TOMATOES,
    PADDY,
    MILLED_RICE,
    RAW_MILK,
    MILK,
    YOGHURT,
    VITAMIN_C,
    PARACETAMOL,
    RICE_CAKE,
)
"""A product is made from products before it in this order only."""
BATCH_COUNTS = (4, 4, 3, 5, 6, 4, 3, 3, 2, 6)
"""Batches of each product, 40 in all."""
RECIPES = {
    MILLED_RICE.gtin: MadeFrom(((PADDY.gtin, 7.2),)),
    MILK.gtin: MadeFrom(((RAW_MILK.gtin, 1.0),)),
    YOGHURT.gtin: MadeFrom(((RAW_MILK.gtin, 0.22),)),
    RICE_CAKE.gtin: MadeFrom(((MILLED_RICE.gtin, 0.04), (MILK.gtin, 0.06))),
}
"""GTIN of a product → what it is made from."""
