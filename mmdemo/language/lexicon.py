"""Words of shops in English and Simplified Chinese: synonyms, kinds, and who a thing is for.

Each line of a table is `english|english synonym=chinese/chinese synonym`. The grammar of plain-language wishes matches
a catalogue's own values by them; training gives an English phrase and its Chinese counterpart the same teacher vector.
"""

# ruff: noqa: E501 -- one group of words a line

COLOURS = """
red|scarlet|crimson=红色/大红色;blue=蓝色;light blue|sky blue=浅蓝色/天蓝色;navy|navy blue|dark blue=藏青色/深蓝色
green=绿色;olive|olive green=橄榄绿;mint|mint green=薄荷绿;teal|turquoise=蓝绿色/青色;yellow=黄色;mustard=芥末黄
orange=橙色/橘色;terracotta|rust=砖红色/赤陶色;pink=粉色/粉红色;purple|violet=紫色;lavender|lilac=淡紫色;brown=棕色/褐色
beige|sand|tan=米色/沙色;cream|ivory|off-white=奶油色/米白色;white=白色;black=黑色;grey|gray=灰色;charcoal|dark grey=深灰色/炭灰色
silver=银色;gold|golden=金色;copper=铜色;bronze=古铜色;maroon|burgundy=酒红色/栗色;khaki=卡其色;multicoloured|multicolor=彩色/多色
"""

MATERIALS = """
wooden|wood=木制/木质;oak=橡木;walnut=胡桃木;bamboo=竹制;metal=金属;steel|stainless steel=不锈钢;aluminium|aluminum=铝制;brass=黄铜
glass=玻璃;ceramic=陶瓷;porcelain=瓷;stoneware|clay=粗陶;plastic=塑料;leather=皮革/真皮;faux leather=人造革;cotton=棉/纯棉;linen=亚麻
wool|woollen=羊毛;denim=牛仔布;silk=丝绸/真丝;velvet=天鹅绒;canvas=帆布;polyester=涤纶;fleece=抓绒;nylon=尼龙;rattan|wicker=藤编
corduroy|cord|needlecord=灯芯绒;marble=大理石;concrete=水泥;rubber=橡胶;paper=纸;knitted|knit=针织;suede=麂皮;cork=软木
"""

PATTERNS = """
striped=条纹;checked|checkered|plaid=格子;polka dot|dotted|spotted=圆点/波点;floral|flowery=花卉/碎花;plain|solid=纯色;printed=印花
geometric=几何图案;zigzag|chevron=锯齿纹/人字纹;speckled=斑点;marbled=大理石纹;glossy|shiny=亮面;matte=哑光;ribbed=罗纹;quilted=绗缝
leopard print=豹纹;camouflage|camo=迷彩;embroidered=刺绣;two-tone|colour-block=拼色;faded=水洗;textured=有纹理的
"""

STYLES = """
small=小号;large|big=大号;tall=高;round=圆形;square=方形;modern=现代;vintage|retro=复古;rustic=乡村风;minimalist=极简;classic=经典
cheap|affordable=便宜的;luxury|premium=高档;cosy|cozy=舒适的;casual=休闲;formal=正式;sporty=运动;elegant=优雅;lightweight=轻便;waterproof=防水
long sleeve|long-sleeved=长袖;short sleeve|short-sleeved=短袖;sleeveless=无袖;hooded=连帽;slim fit=修身;oversized=宽松;high heel=高跟
"""

PEOPLE = "men's|for men=男士/男款;women's|for women=女士/女款;kids'|children's=儿童;boys'=男童;girls'=女童;unisex=中性"

PRODUCTS = """
mug|cup|coffee cup=杯子/马克杯;teacup=茶杯;glass|drinking glass=玻璃杯;wine glass=酒杯;bottle|water bottle=瓶子/水瓶;thermos=保温杯
teapot=茶壶;kettle=水壶;jug|pitcher=水罐;bowl=碗;plate|dinner plate=盘子;dish=碟子;tray=托盘;vase|flower vase=花瓶;planter|plant pot|flower pot=花盆
jar|storage jar=罐子;canister=储物罐;candle=蜡烛;candle holder|candlestick=烛台;lamp=灯;table lamp|desk lamp=台灯;floor lamp=落地灯
pendant lamp|hanging lamp=吊灯;chandelier=枝形吊灯;lantern=灯笼;lampshade=灯罩;chair=椅子;dining chair=餐椅;armchair=扶手椅;rocking chair=摇椅
office chair=办公椅;stool=凳子;bar stool=吧台凳;bench=长凳;ottoman|pouffe|footstool=脚凳;sofa|couch=沙发;table=桌子;coffee table=茶几
side table|bedside table|nightstand=边桌/床头柜;dining table=餐桌;desk=书桌;shelf|shelves=架子;bookcase|bookshelf=书架;cabinet|cupboard=柜子
chest of drawers|dresser=抽屉柜;wardrobe=衣柜;bed=床;mattress=床垫;mirror=镜子;clock|wall clock=时钟/挂钟;alarm clock=闹钟;picture frame=相框
poster|print=海报;rug|carpet=地毯;cushion|throw pillow=靠垫/抱枕;pillow=枕头;blanket|throw=毯子;curtain=窗帘;towel=毛巾;basket=篮子;box|storage box=盒子/收纳盒
bin|waste basket=垃圾桶;bookend=书挡;sculpture|statue=雕塑;pan|frying pan=平底锅;pot|saucepan=锅;wok=炒锅;knife=刀;fork=叉子;spoon=勺子
cutting board|chopping board=砧板;toaster=烤面包机;coffee maker|coffee machine=咖啡机;blender=搅拌机;microwave=微波炉;oven=烤箱;refrigerator|fridge=冰箱
washing machine=洗衣机;vacuum cleaner=吸尘器;fan=风扇;sink=水槽;broom=扫帚;bucket=桶;plant|houseplant|potted plant=植物/盆栽;flower|flowers=花
t-shirt|tee|tshirt=T恤;shirt=衬衫;blouse=女式衬衫;polo shirt=Polo衫;top=上衣;tank top|vest=背心;sweater|jumper|pullover=毛衣;cardigan=开衫
hoodie|hooded sweatshirt=连帽衫/卫衣;sweatshirt=运动衫;jacket=夹克;coat|overcoat=大衣;blazer|suit jacket=西装外套;dress=连衣裙;skirt=裙子/半身裙
trousers|pants=裤子;jeans=牛仔裤;shorts=短裤;leggings=打底裤;tracksuit|track pants=运动裤;underwear|briefs=内裤;bra|sports bra=文胸/运动文胸
socks=袜子;scarf=围巾;gloves=手套;hat=帽子;cap|baseball cap=棒球帽;beanie=针织帽;tie|necktie=领带;belt=腰带;shoes=鞋子;sneakers|trainers=运动鞋
running shoes|sports shoes=跑步鞋;boots=靴子;sandals=凉鞋;flip flops|slippers=拖鞋;heels|high heels=高跟鞋;flats|ballet flats=平底鞋;formal shoes=皮鞋
bag=包;handbag|purse=手提包;backpack|rucksack=背包;tote bag=托特包;wallet=钱包;suitcase|luggage=行李箱;duffel bag|gym bag=健身包;clutch=手拿包
watch|wristwatch=手表;sunglasses|shades=太阳镜;glasses|spectacles=眼镜;necklace=项链;bracelet=手镯;earrings=耳环;ring=戒指;umbrella=雨伞
perfume=香水;soap=肥皂;shampoo=洗发水;lipstick=口红;toy=玩具;toy car=玩具车;toy train=玩具火车;building blocks=积木;doll=娃娃;teddy bear|soft toy=泰迪熊/毛绒玩具
ball=球;football|soccer ball=足球;basketball=篮球;volleyball=排球;tennis racket=网球拍;dumbbell=哑铃;yoga mat=瑜伽垫;skateboard=滑板;bicycle|bike=自行车
helmet=头盔;tent=帐篷;guitar=吉他;piano=钢琴;drum=鼓;violin=小提琴;headphones=耳机;speaker|loudspeaker=音箱;phone|mobile phone|smartphone=手机
laptop|notebook computer=笔记本电脑;computer=电脑;keyboard=键盘;mouse=鼠标;monitor|screen=显示器;television|tv=电视;camera=相机;printer=打印机
remote control=遥控器;pen=钢笔;pencil=铅笔;notebook=笔记本;book=书;scissors=剪刀;stapler=订书机;backpack for school=书包;hammer=锤子;screwdriver=螺丝刀
drill=电钻;torch|flashlight=手电筒;ladder=梯子;apple=苹果;banana=香蕉;orange fruit=橙子;lemon=柠檬;pear=梨;tomato=番茄;potato=土豆;carrot=胡萝卜
milk=牛奶;juice=果汁;yoghurt|yogurt=酸奶;bread=面包;cheese=奶酪;chocolate=巧克力;coffee=咖啡;tea=茶;pizza=披萨;car=汽车;motorcycle=摩托车;wheelchair=轮椅
"""

# What a general word covers: "not wooden" leaves out oak as well.
KINDS = """
wood=oak|walnut|ash|bamboo|beech|birch|pine|teak|maple|mahogany|plywood;metal=steel|stainless steel|aluminium|iron|brass|copper|bronze|chrome
animal products=leather|suede|nappa|nubuck|fur|wool|cashmere|mohair|silk|down|feather|horn
leather=suede|nappa|nubuck;ceramic=porcelain|stoneware|earthenware|clay;striped=pinstripes;kids=boys|girls;men=unisex;women=unisex
"""

# Parts that a thing has or lacks: "a chair without arms", "with a wooden handle".
PARTS = """
arms|arm|armrests|armrest=扶手;handle|handles=把手/手柄/提手/杯柄;sleeves|sleeve=袖子/袖;hood|hoods=帽兜/兜帽;lid|lids=盖子/盖;zip|zips|zipper|zippers=拉链
laces|lace=鞋带;buttons|button=纽扣/扣子;pockets|pocket=口袋;collar=领子;legs|leg=腿/脚架;wheels|wheel=轮子;strap|straps=带子/肩带;logo|logos=标志/商标
backrest=靠背;drawers|drawer=抽屉;fringe|tassels|tassel=流苏;buckle|buckles=搭扣;spout=壶嘴
"""

# What an animal had to give, for "no animal products"; and words that leave it out by themselves.
ANIMAL = "animal products|animal product|animal materials|animal material|animal skin|animal hide=动物成分/动物材料/动物皮/动物制品"
VEGAN = "vegan|vegans|plant based|cruelty free|animal free|animal friendly=纯素/素食/零残忍"

# Who a thing is for, as "for ..." says it and as catalogues write it.
WEARERS = """
kids|kid|children|child|childrens|toddlers|baby|babies=儿童/孩子/小孩/宝宝;men|man|mens|male|gents|him=男士/男人/男款/男
women|woman|womens|female|ladies|lady|her=女士/女人/女款/女;boys|boy=男童/男孩;girls|girl=女童/女孩;unisex=中性
"""

# More ways to say what the tables above name; the first English word finds the line.
ALSO = """
leather=皮/皮质/皮制;wooden=木/木头/实木;cotton=棉质;striped|stripes|stripy=条子;checked|checks|chequered=格纹;polka dot|dots=点点
plain|unpatterned|single colour=素色/素面;speckled|speckles=斑点图案;floral|flowers=花朵;marbled|marbling=大理石花纹;metal=金属制
faux leather|vegan leather|imitation leather|pu leather=人造皮/仿皮;floral|flowered=花的;striped|striping=条状
blue=蓝;red=红;green=绿;black=黑;white=白;yellow=黄;grey=灰色/灰;purple=紫;pink=粉;orange=橙;brown=棕;navy=深蓝/藏蓝
"""


def table(lines: str) -> list[tuple[list[str], list[str]]]:
    """[(English synonyms, Chinese synonyms)] of one table."""
    rows = [row for row in lines.replace("\n", ";").split(";") if row.strip()]
    return [(en.split("|"), zh.split("/")) for en, zh in (row.strip().split("=") for row in rows)]
