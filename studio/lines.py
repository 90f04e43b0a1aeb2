"""What the shop says of patterns, materials and colours, in English."""

# Adjective, and two ways to say that something has the pattern.
PATTERN_WORDS = {
    "stripes": ("striped", "with stripes", "in stripes"),
    "pinstripes": ("pinstriped", "with pinstripes", "in fine stripes"),
    "dots": ("dotted", "with dots", "in polka dots"),
    "checks": ("checked", "with checks", "in gingham checks"),
    "chevron": ("chevron", "with a chevron pattern", "in chevrons"),
    "dipped": ("dipped", "with a dipped base", "in a dip glaze"),
    "floral": ("floral", "with flowers", "in a floral print"),
    "leaves": ("leaf-print", "with leaves", "in a leaf print"),
    "diamonds": ("diamond-pattern", "with diamonds", "in a diamond pattern"),
    "speckled": ("speckled", "with speckles", "in a speckled finish"),
    "terrazzo": ("terrazzo", "with terrazzo chips", "in a terrazzo finish"),
    "marbled": ("marbled", "with marbling", "in a marbled finish"),
    "graphic": ("graphic", "with a graphic print", "in a two-moon print"),
    "sunrise print": ("sunrise-print", "with a sunrise print", "in a sunrise print"),
    "colour block": ("colour-block", "with a colour block", "in colour blocks"),
}

# What is said of a material among the cups and pots only.
KITCHEN = ("mug", "teapot", "bottle", "bowl", "plate", "casserole", "jug")
KITCHEN_LINES = {
    "stoneware": (
        "Fired hot and glazed by hand, it goes in the dishwasher and comes out the same.",
        "Dense stoneware, so a knock on the worktop is no drama.",
        "Oven, microwave, dishwasher: it has been through all three.",
    ),
    "porcelain": (
        "Thin at the lip, strong everywhere else, as good porcelain is.",
        "Hold it to the window and you see your fingers through it.",
    ),
    "enamel": (
        "Enamel on steel: it survives the campfire, the sink and the picnic basket.",
        "Light in the rucksack and hard to hurt.",
    ),
    "steel": (
        "Food-safe stainless steel all the way through.",
        "Tough steel that shrugs off dents and weather.",
        "Double-walled steel that never tastes of yesterday.",
    ),
    "oak": ("Turned from one piece of oak and oiled for food.",),
    "walnut": ("Turned from one piece of walnut and oiled for food.",),
}
MATERIAL_LINES = {
    "stoneware": (
        "Dense stoneware with a soft, even glaze.",
        "Fired at 1,240 degrees, which is why it rings when you tap it.",
    ),
    "ceramic": (
        "The glaze pools a little at the edges, so no two are quite alike.",
        "Slip-cast and glazed in a small workshop.",
        "Glazed by hand, inside and out.",
    ),
    "porcelain": (
        "Fine white-bodied porcelain, fired twice for the shine.",
        "Porcelain from an old kiln town, glazed until it gleams.",
    ),
    "earthenware": (
        "Left matt, with the feel of the clay under your hand.",
        "The matt surface drinks in the light.",
        "Unglazed outside, so the clay can breathe and be felt.",
    ),
    "enamel": (
        "Enamel fused to steel, smooth as glass and tougher than it looks.",
        "The enamel is dipped twice, so the colour has depth.",
    ),
    "oak": ("Solid European oak, oiled rather than lacquered.", "The oak darkens gently over the years."),
    "ash": (
        "Pale ash with a lively grain, finished with soap.",
        "Ash is light to lift and slow to mark.",
        "Straight-grained ash, the wood of oars and skis.",
    ),
    "walnut": ("Dark walnut with a calm, straight grain.", "American walnut, rubbed with hard wax oil."),
    "painted wood": (
        "Beech under two coats of satin paint that wipes clean.",
        "Painted by hand; the brush is only just visible.",
        "Satin paint on solid beech; touch-up pot included.",
    ),
    "painted steel": (
        "Powder-coated, so it will not chip when you dust it.",
        "The coating is matt and hides fingerprints.",
    ),
    "brass": (
        "Brushed brass that warms with age, or polish it bright again.",
        "Solid brass, brushed along its length.",
        "Unlacquered brass that will tell its age.",
    ),
    "steel": ("Steel under a powder coat that does not chip.", "Welded, ground smooth and coated twice."),
    "velvet": (
        "Short-pile velvet, rubbed the right way in any light.",
        "Cotton velvet with a colour that goes deep.",
        "A dense velvet that turns two shades as you stroke it.",
    ),
    "leather": (
        "Full-grain leather that looks better after its first year.",
        "Vegetable-tanned leather, cut from one hide.",
        "Tanned with bark, waxed by hand.",
        "Smooth hide with its own small marks left in.",
    ),
    "suede": (
        "Soft suede with a close, even nap.",
        "Brushed suede, treated against rain.",
        "The flesh side of the hide, brushed until it is soft as a peach.",
    ),
    "boucle": (
        "Curly boucle, as soft as it looks.",
        "Looped yarn with a lively surface that hides every crease.",
        "A woolly boucle that cats respect.",
    ),
    "plastic": (
        "Moulded from recycled plastic, light and easy to wipe.",
        "At least half the plastic has been something else before.",
        "Tough, light and made to be recycled again.",
    ),
    "linen": (
        "Washed linen with a dry hand and a bit of slub.",
        "European flax, woven and washed soft.",
        "Linen that creases like it means to.",
    ),
    "cotton": (
        "Organic cotton, washed before it reaches you so that it will not shrink.",
        "Soft cotton that gets through a hundred washes.",
        "Grown without pesticides and dyed without heavy metals.",
        "Long-fibred cotton with a dry, clean hand.",
    ),
    "canvas": (
        "Dense cotton canvas that stands up by itself.",
        "Twelve-ounce canvas, softer with every wash.",
        "Tightly woven canvas, proofed against a shower.",
    ),
    "corduroy": (
        "Wide-wale cord with a good deep rib.",
        "Eight-wale cord, brushed soft.",
        "Cotton cord that catches the light in stripes.",
    ),
    "wool": (
        "Lambswool that warms without weight.",
        "Pure wool from a mill that has spun since 1903.",
        "Undyed yarn first, colour last, so it keeps.",
        "Wool that airs overnight and hardly needs washing.",
    ),
    "rubber": ("Rinses clean under the tap and shrugs off salt.", "Natural rubber, soft at any temperature."),
    "nylon": ("A close nylon weave that sheds rain.", "Dense recycled nylon that dries in minutes."),
    "mesh": ("Airy knitted mesh that lets the heat out.", "The mesh is knitted in one piece, without a seam to rub."),
    "glass": ("Coloured in the melt, so it never fades.", "Mouth-blown; look for the tiny bubble in the base."),
    "cast iron": (
        "Cast iron under three coats of enamel; it comes with a lifetime and outlasts it.",
        "Heavy in the hand, even on the flame.",
    ),
    "wax": (
        "Poured from rapeseed and beeswax, and it does not drip if kept out of the draught.",
        "A cotton wick, clean wax and no perfume.",
    ),
    "aluminium": ("Anodised aluminium, light and proof against rust.", "Spun from one sheet of aluminium."),
    "copper": ("Solid copper, lacquered so that it stays bright.", "Copper that will darken like a well-used pan."),
    "concrete": ("Cast in fine concrete, sealed against water.", "Cool, matt concrete with the odd pinhole."),
    "marble": ("Real stone, so every slab has veins of its own.", "Honed and sealed, for red wine and lemons."),
    "beech": ("European beech, sanded until nothing catches.", "Pale beech with its small dark flecks left in."),
    "seagrass": (
        "Seagrass plaited by hand; it smells faintly of hay at first.",
        "Strong, dry seagrass that gets a sheen with handling.",
    ),
    "rattan": ("Peeled rattan, soaked, bent and woven while wet.", "Woven from rattan that grows back in five years."),
    "jute": ("Undyed jute, rough and honest underfoot.", "Jute that softens with every step."),
    "denim": ("Thirteen-ounce denim with a touch of stretch.", "Ring-spun denim that fades slowly and well."),
    "felt": ("Pressed wool felt that keeps its shape in the rain.", "Thick felt, steamed over a block."),
    "silk": ("Washed silk with a quiet sheen.", "Mulberry silk, cool at first and warm after a minute."),
    "acetate": (
        "Cut from a sheet of cotton acetate and polished for three days.",
        "Italian acetate, hinged with five barrels.",
    ),
}
FAMILY_LINES = {  # where the usual line would be wrong
    ("watch", "rubber"): (
        "A soft rubber strap that rinses clean under the tap.",
        "Salt water and sun cream leave it cold.",
    ),
    ("watch", "nylon"): ("A woven nylon strap that dries in minutes.",),
    ("sandal", "leather"): (
        "Leather straps, lined so that nothing rubs.",
        "Vegetable-tanned straps over a cork footbed.",
    ),
    ("chair", "plastic"): ("Moulded from recycled plastic, light and easy to wipe.",),
    ("bottle", "glass"): (
        "Coloured in the melt, so it never fades.",
        "Mouth-blown; look for the tiny bubble in the base.",
    ),
    ("tumbler", "glass"): (
        "Coloured in the melt, so it never fades.",
        "Thick enough for every day, clear enough for Sunday.",
        "Pressed, fire-polished and safe in the dishwasher.",
    ),
}

PATTERN_LINES = {
    "stripes": ("Even stripes keep it cheerful.", "The stripes run true all the way round."),
    "pinstripes": ("Fine stripes draw it out and slim it down.", "Pinstripes, drawn with a ruler."),
    "dots": ("The dots are a wink, not a shout.", "Polka dots, evenly spread."),
    "checks": ("Gingham checks, as on a good picnic.", "Classic checks in two tones."),
    "chevron": ("Zigzags give it some tempo.", "A chevron that never quite sits still."),
    "dipped": ("Dipped by hand, so the line wanders a little.", "The lower part is dipped in a second colour."),
    "floral": ("Small flowers, scattered in rows.", "A ditsy floral that does not take itself too seriously."),
    "leaves": ("Sprigs climb it from bottom to top.", "A leaf print with a mid-century air."),
    "diamonds": ("Diamonds in a neat harlequin grid.", "A harlequin pattern, half circus, half chapel floor."),
    "speckled": ("Specks come up through the surface like freckles.", "Speckled as a quail's egg."),
    "terrazzo": ("Terrazzo chips, no two in the same place.", "Scattered chips, as on a Venetian floor."),
    "marbled": ("Veins drift through it, different on every piece.", "Marbled, so that no two are alike."),
    "graphic": ("Two overlapping moons are printed on the chest.",),
    "sunrise print": ("A sun comes up on the front in four warm inks.",),
    "colour block": ("Two colours meet in one clean line.",),
}

COLOUR_NOTES = {
    "white": "bright white",
    "cream": "soft cream",
    "beige": "sandy beige",
    "tan": "saddle tan",
    "brown": "deep brown",
    "black": "ink black",
    "charcoal": "soft charcoal",
    "grey": "pebble grey",
    "navy": "dark navy",
    "blue": "clear blue",
    "light blue": "pale sky blue",
    "teal": "deep teal",
    "mint": "cool mint",
    "green": "leafy green",
    "sage": "dusty sage",
    "olive": "dark olive",
    "yellow": "sunny yellow",
    "mustard": "warm mustard",
    "orange": "bright orange",
    "terracotta": "baked terracotta",
    "red": "full red",
    "burgundy": "wine burgundy",
    "pink": "powder pink",
    "purple": "rich purple",
    "lavender": "faded lavender",
    "natural": "natural wood",
    "walnut": "dark wood",
    "silver": "bare silver",
    "gold": "brushed gold",
    "amber": "honey amber",
    "copper": "warm copper",
    "coral": "fresh coral",
    "khaki": "dry khaki",
    "clear": "clear glass",
}
