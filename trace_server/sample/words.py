"""Names of the made-up city: every one says that it is a sample."""

from __future__ import annotations

from trace_server.sample.model import County, Trade

COUNTIES = (
    County("320902", "亭湖区", "Tinghu", 33.39, 120.20),
    County("320903", "盐都区", "Yandu", 33.33, 120.13),
    County("320904", "大丰区", "Dafeng", 33.20, 120.47),
    County("320921", "响水县", "Xiangshui", 34.20, 119.58),
    County("320922", "滨海县", "Binhai", 33.99, 119.82),
    County("320923", "阜宁县", "Funing", 33.76, 119.80),
    County("320924", "射阳县", "Sheyang", 33.77, 120.26),
    County("320925", "建湖县", "Jianhu", 33.47, 119.80),
    County("320981", "东台市", "Dongtai", 32.87, 120.32),
)
REGISTER = "盐城市示例登记机关(示例数据)"
OFFICE = "盐城市示例市场监督管理局(示例)"
OFFICE_CODE = "11320900MAYC9000"
LABORATORY = "盐城市示例检验检测中心(示例)"
CITY_DEPARTMENT = "市市场监督管理局"
CREDIT_DEPARTMENT = "市信用办"

TRADES: dict[Trade, tuple[str, str]] = {
    Trade.FARM: ("种植养殖合作社", "Farm"),
    Trade.FACTORY: ("厂", "Works"),
    Trade.HUB: ("配送中心", "Distribution Centre"),
    Trade.SHOP: ("超市", "Shop"),
    Trade.STATION: ("液化气充装站", "Cylinder Filling Station"),
    Trade.ESTATE: ("物业公司", "Estate Services"),
    Trade.MAINTAINER: ("电梯维保公司", "Lift Maintenance"),
    Trade.CARRIER: ("罐车运输公司", "Tank Carrier"),
    Trade.WEB: ("网络交易平台", "Online Platform"),
}
WORKS: dict[str, tuple[str, str]] = {
    "food": ("食品", "Food"),
    "drug": ("制药", "Pharmaceutical"),
    "agricultural": ("农产品", "Produce"),
    "consumer": ("日用品", "Consumer Goods"),
    "special_equipment": ("气瓶制造", "Cylinder"),
    "geographical_indication": ("地理标志产品", "Regional Products"),
}
GOODS: dict[str, tuple[tuple[str, str, str, int], ...]] = {
    "food": (
        ("五香豆干", "Spiced dried tofu", "120 克/袋", 180),
        ("大豆油", "Soybean oil", "5 升/桶", 540),
        ("酱油", "Soy sauce", "500 毫升/瓶", 540),
        ("纯牛奶", "Milk", "250 毫升/盒", 120),
        ("挂面", "Noodles", "900 克/把", 360),
        ("冷冻水饺", "Frozen dumplings", "500 克/袋", 270),
        ("香醋", "Vinegar", "550 毫升/瓶", 720),
        ("饼干", "Biscuits", "300 克/盒", 270),
    ),
    "drug": (
        ("感冒清热颗粒", "Cold granules", "12 克×10 袋", 720),
        ("维生素 C 片", "Vitamin C tablets", "100 片/瓶", 720),
        ("碘伏消毒液", "Povidone iodine", "100 毫升/瓶", 540),
        ("创口贴", "Plasters", "20 片/盒", 900),
    ),
    "agricultural": (
        ("鲜鸡蛋", "Eggs", "30 枚/盒", 45),
        ("小番茄", "Cherry tomatoes", "500 克/盒", 20),
        ("黄瓜", "Cucumbers", "1 千克/袋", 14),
        ("冷鲜鸡", "Chilled chicken", "1 只/袋", 12),
    ),
    "consumer": (
        ("儿童积木", "Building blocks", "60 块/盒", 3650),
        ("电水壶", "Kettle", "1.7 升/台", 3650),
        ("插线板", "Socket strip", "5 位/个", 3650),
        ("洗衣液", "Laundry liquid", "2 千克/瓶", 1095),
    ),
    "special_equipment": (
        ("液化石油气钢瓶", "LPG cylinder", "YSP35.5", 2920),
        ("工业氧气瓶", "Oxygen cylinder", "40 升", 5475),
    ),
    "geographical_indication": (
        ("示例射阳大米", "Sample Sheyang rice", "5 千克/袋", 365),
        ("示例东台西瓜", "Sample Dongtai melon", "1 个", 20),
        ("示例建湖大闸蟹", "Sample Jianhu crab", "8 只/盒", 7),
        ("示例阜宁大糕", "Sample Funing cake", "400 克/盒", 120),
        ("示例响水浅水藕", "Sample Xiangshui lotus root", "2 千克/袋", 15),
    ),
}
"""Category → (name, English name, unit of sale, days that it keeps)."""
RAW = (("稻谷", "Paddy", 400), ("生鲜乳", "Raw milk", 6), ("生猪", "Live pigs", 60))
LICENCES = {
    "agricultural": ("农产品生产主体备案", "Farm producer filing"),
    "food": ("食品生产许可证", "Food production licence"),
    "drug": ("药品生产许可证", "Drug manufacturing licence"),
    "consumer": ("工业产品生产许可证", "Industrial product licence"),
    "special_equipment": ("特种设备生产许可证", "Special equipment manufacturing licence"),
    "geographical_indication": ("地理标志专用标志使用核准", "Approval to use a geographical indication mark"),
    "": ("食品经营许可证", "Food trading licence"),
}
CHECKPOINTS = {
    "factory": ("出厂门", "Factory gate"),
    "hub": ("配送中心月台", "Distribution dock"),
    "shop": ("门店收货口", "Shop back door"),
    "cold_store": ("冷库门", "Cold store door"),
    "market": ("批发市场入口", "Wholesale market gate"),
    "filling": ("充装秤", "Filling scale"),
    "packing_house": ("地标产品包装点", "Packing house of a geographical indication"),
    "tank_depot": ("罐车装卸点", "Tank depot"),
    "highway": ("公路检查站", "Highway checkpoint"),
}
OTHER_KINDS = ("cold_store", "market", "filling", "packing_house", "tank_depot", "highway")
VIOLATIONS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "food": (
        ("标签标示不符合规定", "该批产品标签未按规定标示贮存条件", "《中华人民共和国食品安全法》第一百二十五条"),
        ("经营超过保质期的食品", "货架上摆放已超过保质期的食品", "《中华人民共和国食品安全法》第一百二十四条"),
        (
            "未按规定查验供货者许可证",
            "进货时未查验供货者的许可证和合格证明",
            "《中华人民共和国食品安全法》第一百二十六条",
        ),
    ),
    "drug": (("未按规定贮存药品", "冷藏药品贮存温度超出规定范围", "《中华人民共和国药品管理法》第一百二十六条"),),
    "agricultural": (("农药残留超标", "抽检样品农药残留不符合标准", "《中华人民共和国农产品质量安全法》第七十条"),),
    "consumer": (("生产不合格产品", "抽检样品电气强度不合格", "《中华人民共和国产品质量法》第四十九条"),),
    "special_equipment": (
        ("充装超期未检气瓶", "充装超过检验有效期的气瓶", "《中华人民共和国特种设备安全法》第八十五条"),
    ),
    "gi": (("擅自使用地理标志专用标志", "未经核准在产品上使用专用标志", "《中华人民共和国商标法》第六十条"),),
}
CASE_CATEGORY = {"geographical_indication": "gi"}
"""Names of categories in cases and penalties where they differ from those of products."""
COMPLAINTS = (
    ("买到的这袋产品包装上没有生产日期,扫码显示的批号和袋子上的不一样。", "小区门口的超市"),
    ("同一个码扫出来查询次数很多,怀疑是复制的标签。", "农贸市场二号门"),
    ("电梯三天停了两次,轿厢里贴的维保日期是上个月的。", "小区 3 幢"),
    ("气瓶换回来不到一周就用完了,瓶身的检验标记看不清。", "换气点"),
    ("产品冷链配送到手已经化了,要求退款商家不理。", "配送到家"),
)
CHINESE_DIGITS = "〇一二三四五六七八九十"


def ordinal(number: int) -> str:
    """第…: 1 to 99 in Chinese."""
    tens, ones = divmod(number, 10)
    head = ("" if tens == 0 else "十" if tens == 1 else CHINESE_DIGITS[tens] + "十") if number >= 10 else ""
    return f"第{head}{CHINESE_DIGITS[ones] if ones or number < 10 else ''}"
