"""The catalogue in Simplified Chinese: one word for each value, a name and a line for each design, short sentences.

Written as a Chinese shop would, not word for word; `parents_zh.csv` holds the designs.
"""

from __future__ import annotations

import csv
import hashlib
import random
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from .model import Product

COLOURS = {
    "white": "白色",
    "cream": "奶油色",
    "beige": "米色",
    "tan": "浅棕色",
    "brown": "棕色",
    "black": "黑色",
    "charcoal": "炭灰色",
    "grey": "灰色",
    "navy": "藏青色",
    "blue": "蓝色",
    "light blue": "浅蓝色",
    "teal": "孔雀蓝",
    "mint": "薄荷绿",
    "green": "绿色",
    "sage": "灰绿色",
    "olive": "橄榄绿",
    "yellow": "黄色",
    "mustard": "芥末黄",
    "orange": "橙色",
    "terracotta": "陶土红",
    "red": "红色",
    "burgundy": "酒红色",
    "pink": "粉色",
    "purple": "紫色",
    "lavender": "薰衣草紫",
    "natural": "原色",
    "walnut": "胡桃色",
    "silver": "银色",
    "gold": "金色",
    "copper": "红铜色",
    "amber": "琥珀色",
    "coral": "珊瑚色",
    "khaki": "卡其色",
    "clear": "透明",
}
MATERIALS = {
    "stoneware": "炻瓷",
    "ceramic": "陶瓷",
    "porcelain": "白瓷",
    "earthenware": "粗陶",
    "enamel": "搪瓷",
    "concrete": "水泥",
    "glass": "玻璃",
    "oak": "橡木",
    "ash": "白蜡木",
    "beech": "榉木",
    "walnut": "胡桃木",
    "painted wood": "彩漆实木",
    "painted steel": "烤漆钢",
    "steel": "不锈钢",
    "brass": "黄铜",
    "copper": "红铜",
    "aluminium": "铝",
    "cast iron": "铸铁",
    "marble": "大理石",
    "plastic": "塑料",
    "acetate": "板材",
    "rubber": "橡胶",
    "leather": "真皮",
    "suede": "反绒皮",
    "cotton": "棉",
    "linen": "亚麻",
    "canvas": "帆布",
    "denim": "牛仔布",
    "corduroy": "灯芯绒",
    "velvet": "丝绒",
    "boucle": "圈圈绒",
    "wool": "羊毛",
    "felt": "毛毡",
    "silk": "真丝",
    "nylon": "尼龙",
    "mesh": "网布",
    "jute": "黄麻",
    "seagrass": "海草",
    "rattan": "藤编",
    "wax": "蜡",
}
PATTERNS = {
    "plain": "纯色",
    "stripes": "条纹",
    "pinstripes": "细条纹",
    "dots": "波点",
    "checks": "格纹",
    "chevron": "人字纹",
    "dipped": "蘸釉拼色",
    "floral": "碎花",
    "leaves": "叶纹",
    "diamonds": "菱格",
    "speckled": "洒点",
    "terrazzo": "水磨石纹",
    "marbled": "大理石纹",
    "graphic": "印花",
    "sunrise print": "日出印花",
    "colour block": "撞色",
}
CATEGORIES = {
    "Mug": "马克杯",
    "Vase": "花瓶",
    "Teapot": "茶壶",
    "Table lamp": "台灯",
    "Chair": "椅子",
    "Stool": "凳子",
    "Cushion": "抱枕",
    "T-shirt": "T恤",
    "Tote bag": "托特包",
    "Sneaker": "运动鞋",
    "Headphones": "耳机",
    "Beanie": "毛线帽",
    "Planter": "花盆",
    "Handbag": "手提包",
    "Sofa": "沙发",
    "Dress": "连衣裙",
    "Watch": "手表",
    "Water bottle": "水瓶",
    "Bowl": "碗",
    "Plate": "盘子",
    "Drinking glass": "玻璃杯",
    "Cookware": "锅具",
    "Candle": "蜡烛",
    "Jug": "壶",
    "Wall clock": "挂钟",
    "Framed print": "装饰画",
    "Pendant lamp": "吊灯",
    "Floor lamp": "落地灯",
    "Table": "桌子",
    "Storage": "收纳柜",
    "Basket": "篮子",
    "Rug": "地毯",
    "Throw": "毯子",
    "Suitcase": "行李箱",
    "Backpack": "双肩包",
    "Belt": "腰带",
    "Hat": "帽子",
    "Scarf": "围巾",
    "Umbrella": "雨伞",
    "Sandals": "凉拖鞋",
    "Boots": "靴子",
    "Sunglasses": "太阳镜",
    "Toy": "玩具",
    "Sweater": "毛衣",
    "Trousers": "裤子",
    "Skirt": "半身裙",
}
MATERIAL_LINES = {
    "stoneware": ("高温炻瓷，厚实耐磕碰。", "釉面温润，日常使用不心疼。"),
    "ceramic": ("手工施釉，每件略有不同。", "釉色沉静，耐看不腻。"),
    "porcelain": ("白瓷细腻透亮，两次烧成。", "胎薄釉润，轻巧耐用。"),
    "earthenware": ("素烧粗陶，手感质朴。", "哑光陶面，越用越有味道。"),
    "enamel": ("钢胎搪瓷，耐摔耐洗。", "表面光洁如镜，不易留痕。"),
    "concrete": ("细腻水泥浇筑，防水处理。",),
    "glass": ("色料熔于玻璃，永不褪色。", "厚薄匀称，通透干净。"),
    "oak": ("欧洲实木橡木，木蜡油涂装。", "橡木纹理清晰，越用颜色越温润。"),
    "ash": ("浅色白蜡木，纹理活泼。",),
    "beech": ("榉木细腻，打磨圆润无毛刺。",),
    "walnut": ("黑胡桃木，纹理沉稳。", "胡桃木配硬蜡油，手感顺滑。"),
    "painted wood": ("实木外覆哑光彩漆，一擦即净。",),
    "painted steel": ("静电喷粉，不易磕掉漆。",),
    "steel": ("优质钢材，结实不变形。",),
    "brass": ("拉丝黄铜，时间会给它包浆。",),
    "copper": ("纯铜打造，光泽温暖。",),
    "aluminium": ("阳极氧化铝，轻且不锈。",),
    "cast iron": ("铸铁三层珐琅，传家的好锅。",),
    "marble": ("天然石材，每块纹理独一无二。",),
    "plastic": ("环保再生料，轻便好打理。",),
    "acetate": ("醋酸板材，手工抛光。",),
    "rubber": ("天然橡胶，清水一冲就净。",),
    "leather": ("头层牛皮，越用越有光泽。", "植鞣皮革，自然留下岁月痕迹。"),
    "suede": ("反绒细密，触感柔软。",),
    "cotton": ("有机棉，预缩水处理。", "长绒棉，干爽亲肤。"),
    "linen": ("水洗亚麻，透气干爽。", "亚麻微皱，自在随性。"),
    "canvas": ("厚实帆布，自己立得住。",),
    "denim": ("十三盎司牛仔布，略带弹力。",),
    "corduroy": ("粗条灯芯绒，手感厚软。",),
    "velvet": ("短绒丝绒，光线下颜色有深浅。",),
    "boucle": ("圈圈绒面，蓬松温柔。",),
    "wool": ("纯羊毛，暖而不重。", "羊毛透气，挂一夜就清爽。"),
    "felt": ("厚实毛毡，不易变形。",),
    "silk": ("桑蚕丝，光泽柔和。",),
    "nylon": ("再生尼龙，几分钟就干。",),
    "mesh": ("一体织网布，透气不闷。",),
    "jute": ("未染黄麻，质朴耐踩。",),
    "seagrass": ("手编海草，带着淡淡草香。",),
    "rattan": ("天然藤条，手工编织。",),
    "wax": ("大豆蜂蜡，棉芯无烟。",),
}
PATTERN_LINES = "这款是{colour}底{pattern}。", "{pattern}花色，耐看又不抢戏。", "{colour}配{pattern}，多一点小心思。"
COLOUR_LINES = "这款是{colour}。", "{colour}，好搭不挑环境。"
OCCASIONS = {
    "table setting": "餐桌搭配",
    "living room": "客厅",
    "dining room": "餐厅",
    "bedroom": "卧室",
    "children's room": "儿童房",
    "out for the day": "出门一日",
    "journey": "旅行",
    "outfit": "穿搭",
    "everyday outfit": "日常穿搭",
    "winter outfit": "冬季穿搭",
    "summer outfit": "夏季穿搭",
}


@cache
def parents() -> dict[str, tuple[str, str]]:
    """Name and line of every design, by parent id."""
    with (Path(__file__).parent / "parents_zh.csv").open(encoding="utf-8", newline="") as f:
        return {row["parent"]: (row["name"], row["pitch"]) for row in csv.DictReader(f)}


def _rng(item: Product, what: str) -> random.Random:
    return random.Random(int.from_bytes(hashlib.sha256(f"{what}/zh/{item.id}".encode()).digest()[:4], "big"))


def _candidates(item: Product) -> list[str]:
    v, name = item.variant, parents()[item.parent_id][0]
    colour, material = COLOURS[v.colour], MATERIALS[v.material]
    material = "" if material in name or v.colour == v.material else material
    if v.pattern == "plain":
        return [
            f"{colour}{material}{name}",
            f"{material}{name} {colour}",
            f"{name}（{colour}）",
            f"{name} {colour}{material}款",
        ]
    pattern = PATTERNS[v.pattern]
    return [
        f"{colour}{pattern}{material}{name}",
        f"{material}{name} {colour}{pattern}款",
        f"{pattern}{name}（{colour}）",
        f"{pattern}{name} {colour}{material}款",
    ]


def titles(items: Sequence[Product]) -> dict[str, str]:
    """A title for each product, unique in the catalogue."""
    out: dict[str, str] = {}
    taken: set[str] = set()
    for item in items:
        options = _candidates(item)
        first = _rng(item, "title").choices(options, [5, 3, 2, 1])[0]
        named = f"{item.parent.brand} {options[0]}"
        title = next(t for t in (first, *options, named) if t not in taken)
        taken.add(title)
        out[item.id] = title
    return out


def description(item: Product) -> str:
    """What the design is about, and something about this very finish."""
    v, rng = item.variant, _rng(item, "description")
    options = list(MATERIAL_LINES[v.material])
    if v.pattern != "plain":
        options += PATTERN_LINES
    elif rng.random() < 0.25:
        options = list(COLOUR_LINES)
    line = rng.choice(options).format(colour=COLOURS[v.colour], pattern=PATTERNS[v.pattern])
    return parents()[item.parent_id][1] + line


def words() -> list[dict[str, str]]:
    """What the values of the filters, and the kinds of links, are called: column, English, Chinese."""
    tables = {"name": {"Home and wardrobe": "家居与衣橱"}, "category": CATEGORIES, "colour": COLOURS}
    tables |= {"material": MATERIALS, "pattern": PATTERNS, "kind": OCCASIONS}
    return [{"column": column, "en": en, "zh": zh} for column, table in tables.items() for en, zh in table.items()]
