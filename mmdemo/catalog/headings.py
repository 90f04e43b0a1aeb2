"""What shops call the columns of a catalogue, in eight languages: one table of names, and how a heading is compared.

Sources, by the language's column of the table: the attribute names of Google's product data specification in that
language (support.google.com/merchants/answer/7052112), WooCommerce's and PrestaShop's language packs for their product
exports, the CSV of EC-CUBE 4 for Japanese, and for Chinese the headings that shop back offices there write
(商品编码, 商品名称, 商品图片, 售价, 划线价). It knows nothing of cells.
"""

import re
import unicodedata
from functools import cache, lru_cache

LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "zh", "ja")
# Column of a catalogue -> its headings, a line for each of LANGUAGES, "|" between names.
_NAMES: dict[str, tuple[str, ...]] = {
    "id": (
        "id|sku|product id|item id|article id|product code|item code|item number|variant sku",
        "artikelnummer|artikel nr|art nr|produktnummer|produkt id|bestellnummer|artikel id|artnr",
        "ugs|référence|réf|code produit|id produit|code article|référence produit|identifiant",
        "referencia|código|código de producto|id producto|identificador|código de artículo",
        "codice|codice prodotto|riferimento|id prodotto|codice articolo|identificativo",
        "artikelcode|productcode|product id|productnummer|artikelnummer",
        "商品编码|商品编号|商品id|商品货号|货号|编号|产品编号|商家编码|款号|产品id",
        "商品コード|商品番号|商品id|品番|商品管理番号|管理番号",
    ),
    "image": (
        "image|picture|photo|img|image path|image file|image url|image link|file|filename|file name|main image"
        "|product image|image src|images|pictures|photos|image urls|main image url|picture url|photo url",
        "bild|bilder|bildlink|bild url|produktbild|bilddatei|foto|hauptbild|bildpfad|bildname|bild urls",
        "image|images|photo|lien image|url image|image principale|url des images|visuel|nom de l'image|fichier image",
        "imagen|imágenes|foto|enlace imagen|url imagen|imagen principal|url de la imagen|fotografía",
        "immagine|immagini|foto|link immagine|url immagine|immagine principale|nome immagine",
        "afbeelding|afbeeldingen|foto|afbeeldingslink|afbeelding url|productafbeelding|hoofdafbeelding",
        "图片|商品图片|主图|图片链接|商品主图|图片地址|产品图片|图像|商品图|照片",
        "画像|商品画像|商品画像リンク|メイン画像|画像url|画像ファイル名|写真|商品画像url|画像パス",
    ),
    "views": (
        "views|additional images|additional image link|additional image links|other images|more images|gallery",
        "zusätzlicher bildlink|weitere bilder|zusatzbilder|galerie",
        "lien image supplémentaire|autres images|images supplémentaires|galerie",
        "enlace imagen adicional|imágenes adicionales|otras imágenes|galería",
        "link immagine aggiuntiva|immagini aggiuntive|altre immagini|galleria",
        "extra afbeeldingslink|extra afbeeldingen|andere afbeeldingen|galerij",
        "附图|更多图片|其他图片|商品相册|附加图片|细节图",
        "追加の商品画像リンク|追加画像|サブ画像|その他の画像",
    ),
    "title": (
        "title|name|product name|product title|item name|display name",
        "titel|bezeichnung|produktname|artikelname|artikelbezeichnung|produkttitel|produktbezeichnung",
        "titre|nom|nom du produit|désignation|libellé|nom produit|intitulé",
        "título|nombre|nombre del producto|denominación|nombre producto",
        "titolo|nome|nome prodotto|denominazione|nome articolo|nome del prodotto",
        "titel|naam|productnaam|artikelnaam|producttitel|omschrijving kort",
        "标题|名称|商品名称|商品标题|产品名称|商品名|品名|宝贝名称",
        "商品名|タイトル|名前|品名|商品タイトル|名称|製品名",
    ),
    "description": (
        "description|desc|body|text|body html|product description|long description",
        "beschreibung|artikelbeschreibung|produktbeschreibung|langbeschreibung|langtext",
        "description|descriptif|description du produit|description longue",
        "descripción|descripción del producto|descripción larga",
        "descrizione|descrizione prodotto|descrizione lunga",
        "beschrijving|productbeschrijving|omschrijving",
        "描述|商品描述|详情|商品详情|产品描述|商品说明|商品介绍|详细描述|说明",
        "説明|商品説明|商品説明文|説明文|詳細|商品詳細|紹介文",
    ),
    "category": (
        "category|type|product type|categories|product category|item type|article type",
        "kategorie|kategorien|produkttyp|warengruppe|artikelgruppe|produktkategorie|google produktkategorie",
        "catégorie|catégories|type de produit|rayon|famille",
        "categoría|categorías|tipo de producto|familia",
        "categoria|categorie|tipo di prodotto|reparto|categoria prodotto",
        "categorie|categorieën|producttype|productcategorie|productgroep",
        "分类|类别|类目|商品分类|商品类别|品类|产品分类|商品类型|分类名称|商品类目",
        "カテゴリ|カテゴリー|商品カテゴリ|商品カテゴリー|ジャンル|分類|商品カテゴリ名|カテゴリ名",
    ),
    "price": (
        "price|regular price|retail price|selling price|unit price|variant price|list price|standard price"
        "|price incl tax",
        "preis|verkaufspreis|regulärer preis|bruttopreis|preis brutto|vk preis|vk|einzelpreis|normaler preis",
        "prix|prix ttc|prix de vente|tarif|tarif régulier|prix public|prix normal",
        "precio|precio normal|pvp|precio de venta|precio regular",
        "prezzo|prezzo di listino|prezzo di vendita|prezzo normale",
        "prijs|verkoopprijs|reguliere prijs|normale prijs",
        "价格|售价|单价|商品价格|销售价|零售价|常规售价|原价|划线价|市场价|商品售价",
        "価格|販売価格|通常価格|値段|単価|商品価格|定価|売価",
    ),
    "sale_price": (
        "sale price|special price|discount price|discounted price|offer price|promo price",
        "angebotspreis|sonderpreis|aktionspreis|sonderangebotspreis|reduzierter preis",
        "prix soldé|prix promo|tarif promo|prix promotionnel|prix réduit",
        "precio rebajado|precio de oferta|precio oferta|precio promocional",
        "prezzo in offerta|prezzo scontato|prezzo speciale|prezzo promozionale",
        "aanbiedingsprijs|actieprijs|speciale prijs|kortingsprijs",
        "促销价|特价|优惠价|折扣价|活动价|现价",
        "セール価格|特価|特別価格|割引価格",
    ),
    "regular_price": (
        "compare at price|variant compare at price|original price|msrp|rrp|was price|price before discount",
        "uvp|streichpreis|alter preis|ursprungspreis|statt preis",
        "prix barré|prix conseillé|ancien prix|prix d'origine",
        "precio original|precio anterior|precio tachado",
        "prezzo originale|prezzo precedente|prezzo barrato",
        "adviesprijs|van prijs|oude prijs|oorspronkelijke prijs",
        "",
        "",
    ),
    "currency": (
        "currency|currency code",
        "währung",
        "devise|monnaie",
        "moneda|divisa",
        "valuta",
        "valuta|munteenheid",
        "货币|币种",
        "通貨",
    ),
    "url": (
        "url|link|product url|product link|permalink",
        "link|produktlink|produkt url|artikellink",
        "lien|lien produit|url produit|url du produit",
        "enlace|url producto|enlace del producto",
        "link prodotto|url prodotto|collegamento",
        "productlink|product url",
        "链接|商品链接|商品地址|网址|产品链接|商品详情页",
        "商品リンク|商品url|リンク|商品ページurl",
    ),
    "parent": (
        "parent|parent id|parent sku|item group id|parent product",
        "elternartikel|vaterartikel|hauptartikel|artikelgruppen id|übergeordnetes produkt",
        "produit parent|identifiant groupe|id groupe article",
        "producto padre|id grupo artículo|producto superior",
        "prodotto padre|id gruppo articoli|genitore",
        "hoofdproduct|item groep id|bovenliggend product",
        "父商品|父级|主商品编码|spu|商品组",
        "親商品|商品グループid|親商品コード|親",
    ),
    "brand": (
        "brand|manufacturer|vendor|brand name",
        "marke|hersteller",
        "marque|fabricant",
        "marca|fabricante",
        "marca|produttore",
        "merk|fabrikant|leverancier",
        "品牌|商品品牌|厂商",
        "ブランド|メーカー|ブランド名",
    ),
    "colour": (
        "colour|color|base colour|base color",
        "farbe",
        "couleur",
        "color",
        "colore",
        "kleur",
        "颜色|色彩",
        "色|カラー",
    ),
    "size": (
        "size",
        "größe|grösse",
        "taille|pointure",
        "talla|tamaño",
        "taglia|misura|dimensione",
        "maat|grootte",
        "尺码|尺寸|大小",
        "サイズ",
    ),
    "material": (
        "material|materials",
        "material",
        "matière|matériau|matériaux",
        "material",
        "materiale",
        "materiaal",
        "材质|材料|面料",
        "素材|材質",
    ),
    "availability": (
        "availability|stock status|in stock",
        "verfügbarkeit|lagerstatus|vorrätig|auf lager",
        "disponibilité|en stock",
        "disponibilidad|en inventario|en existencia",
        "disponibilità|in magazzino",
        "beschikbaarheid|op voorraad|voorraadstatus",
        "库存状态|是否有货",
        "在庫状況|在庫状態|在庫あり",
    ),
    "tags": (
        "tags|keywords",
        "schlagwörter|stichwörter",
        "étiquettes|mots clés",
        "etiquetas|palabras clave",
        "tag|parole chiave",
        "trefwoorden",
        "标签|关键词|关键字",
        "タグ|キーワード|検索ワード",
    ),
}


@lru_cache(maxsize=65536)
def heading(text: str) -> str:
    """A heading as it is compared: without marks, case, accents, brackets, or the namespace of a feed.

    >>> heading("Image URLs (x,y,z...)"), heading("g:Image_Link"), heading("Régulier ")
    ('image urls', 'image link', 'regulier')
    """
    plain = unicodedata.normalize("NFKD", text.replace("’", "'").casefold())
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    plain = re.sub(r"^g:", "", plain.strip())
    plain = re.sub(r"[\(\[（].*?[\)\]）]", " ", plain)
    return re.sub(r"[\s_\-*?:#.]+", " ", plain).strip()


@cache
def _columns() -> dict[str, str]:
    """Heading as it is compared -> column; of two columns with one heading the first counts."""
    columns: dict[str, str] = {}
    for column, languages in _NAMES.items():
        for names in languages:
            for name in filter(None, names.split("|")):
                columns.setdefault(heading(name), column)
    return columns


def column_of(text: str) -> str:
    """The column of a catalogue that this heading names in one of the languages, "" for none.

    >>> column_of("Bild-URL"), column_of("商品名称"), column_of("商品説明(詳細)"), column_of("Weight")
    ('image', 'title', 'description', '')
    """
    return _columns().get(heading(text), "")


def is_numbered_picture(text: str) -> bool:
    """Whether a heading names one picture of several by a number.

    >>> [is_numbered_picture(text) for text in ("Image 2", "additional_image_link_1", "Bild3-URL", "image", "Size 2")]
    [True, True, True, False, False]
    """
    bare, numbers = re.subn(r"\s*\d+(?= |$)", "", heading(text))
    return numbers == 1 and column_of(bare) in ("image", "views")


def names_of(column: str) -> tuple[str, ...]:
    """The headings of one column in every language, as `heading` compares them."""
    return tuple(name for name, named in _columns().items() if named == column)


def known_headings() -> frozenset[str]:
    """Every heading of the table, as `heading` compares them."""
    return frozenset(_columns())
