"""The words of the story language. Within a list, earlier words are the more frequent ones.

Every list is prefix-free: no entry begins another. All text is ASCII, so characters are bytes.
"""

from __future__ import annotations

from llm_reference.data.grammar import choice, zipf


def words(text: str) -> tuple[str, ...]:
    """The words of a text, in order."""
    return tuple(text.split())


def phrases(text: str) -> tuple[str, ...]:
    """The phrases of a text, separated by slashes."""
    return tuple(" ".join(phrase.split()) for phrase in text.split("/"))


def with_article(adjectives: tuple[str, ...]) -> tuple[str, ...]:
    """`a small`, `an old`: the indefinite article follows the sound of the next word."""
    return tuple(
        f"an {word}" if word[0] in "aeiou" and not word.startswith("use") else f"a {word}"
        for word in adjectives
    )


WOMEN = words("""Mira Lena Nia Ines Vera Lila Tess Cleo Alma Iris Nora Rosa Ula Wanda Zoe Astrid
Bella Clara Dora Edith Flora Greta Hanna Ida Julia Karin Lucy Maya Nina Olga Paula Ruth Sara Tilda
Una Viola Willa Xenia Yara Zelda Agnes Berta Carmen Delia Elsa Freya Gilda Hilda""")
MEN = words("""Tom Otto Raj Omar Hugo Ezra Bruno Jonas Felix Milo Pavel Sami Vincent Yusuf Arlo Adam
Boris Caleb David Emil Frank Georg Henry Igor Jacob Karl Lukas Marco Noah Oscar Peter Quentin
Robin Simon Tobias Ulrich Abel Walter Xavier Yannis Zeno Anton Basil Conrad Dylan Ernst Fabian
Gustav""")

JOBS = words("""baker sailor teacher miller potter gardener doctor weaver farmer painter smith
librarian tailor carpenter printer clockmaker""")
TOWNS = words("""Oldport Redhill Stonebridge Ashford Millbrook Seaview Fairholm Westgate Kingsmere
Pinewood Brightwater Lowfield Eastcliff Thornby Marshend Silverdale""")
PETS = words("dog cat parrot rabbit goat tortoise pony ferret")
COLOURS = words("red blue green yellow black white purple orange")
PRODUCTS = words("honey cheese pottery lace cider glass paper wool salt boats bells roses")
RIVERS = words("Alder Birch Cray Dove Ember Fenn Glass Hollow Isle Jade Kestrel Lark")

MONTH = choice(
    words(
        """January February March April May June July August September October November December"""
    )
)
WEEKDAY = choice(words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday"))
DAYTIME = choice(words("morning afternoon evening night"))
WEATHER = zipf(
    words("""cold warm wet windy bright grey quiet foggy icy stormy mild clear dark golden damp hot
    dry dull chilly misty sunny humid cloudy calm""")
)
SKY = words("rain wind sun fog snow thunder moon bell tide frost fire clock smoke noise heat storm")
SKY_DID = choice(
    words("""stopped returned began ceased faded rose fell vanished changed waited followed turned
    spread slowed lingered settled""")
)

ADJECTIVES = words("""small old bright heavy broken odd little dusty round soft sharp empty plain
rusty lovely ancient narrow tiny famous ugly crooked painted shiny simple useful cheap rare green
elegant strange smooth worn hollow precious borrowed forgotten polished cracked unusual striped
huge thin fat wide tall short deep new young pale brown pink grey red blue white black dark cold
warm wet dry clean dirty fine poor rich strong weak sweet bitter sour loud quiet fast slow hard
light fancy muddy oily sandy burnt bent torn lost spare foreign modern secret royal private public
perfect heated frozen folded gaudy carved gilded hairy leaky magic noisy pretty quaint rough
scented sticky tangled twisted velvety wrinkled yellow""")
ADJECTIVE = zipf(ADJECTIVES)
A_ADJECTIVE = zipf(with_article(ADJECTIVES))
MATERIAL = zipf(
    words("""wooden silver brass clay iron leather copper stone paper golden glass woollen tin
    marble bronze velvet steel silk linen wax bone cork straw cotton cardboard chrome crystal enamel
    granite horn ivory jade lead oak pine plastic rubber""")
)
TOOLS = words("""key lamp coin book letter candle clock bell knife mirror map hammer ring kettle
rope basket lantern needle violin saddle blanket telescope bucket ladder drum hat flute spoon button
compass brush kite axe bowl chair cup fork glove harp jug lock mask nail oar plough quill rake
sack table umbrella vase wheel anchor broom crown""")
FOODS = words("""apple pear plum onion turnip melon lemon fig egg carrot biscuit pancake almond
walnut pumpkin sausage muffin bean cake date grape leek mango nut olive pie raisin""")
TREASURES = words("""shell feather pebble ribbon bottle whistle doll medal purse stamp bracelet
pencil thimble puppet chess-piece magnet snow-globe music-box postcard badge diary earring gem
jewel necklace poem riddle scarf toy watch""")
TOOL, TREASURE = zipf(TOOLS), zipf(TREASURES)
GOODS = zipf(tuple(f"{food}s" for food in FOODS))
OBJECT = zipf((*TOOLS, *TREASURES, *FOODS))

SITES = words("""market river bridge forest harbour mill school chapel square field library tavern
hill beach orchard station castle lighthouse meadow quarry well-house theatre valley island museum
ferry cemetery vineyard ruins workshop bakery court dam farm garage hotel inn jetty kitchen lake
mountain office palace road shop tunnel village wall yard zoo airport canal docks fountain gate
hospital prison temple""")
SITE = zipf(SITES)
INDOORS = words("drawer box cupboard chest jar desk oven wardrobe trunk barrel")
OUTDOORS = words("shed barn garden cellar attic stable tower cart greenhouse well")
PREPOSITION = zipf(words("near behind beside under inside beyond outside below opposite around"))

ANIMALS = words("""dog crow fox hen goose mouse owl horse donkey sheep squirrel heron beetle pigeon
frog badger swan hedgehog otter spider moth camel duck eagle falcon gull hare jackal lizard mole
newt ox llama quail rat seal toad wasp wolf ant bear deer""")
ANIMAL = zipf(ANIMALS)
DOING = zipf(
    words("""sleeping singing hiding eating running waiting shouting drinking dancing digging
    limping shivering swimming resting playing hunting barking crying fighting growling jumping
    kneeling laughing marching nesting painting reading smiling trembling yawning bathing
    climbing""")
)
ROLES = phrases("""old woman/young man/mayor/captain/stranger/neighbour/shepherd/fisherman/child/
soldier/merchant/judge/nurse/postman/beggar/musician/widow/student/cook/traveller/actor/banker/
clerk/dancer/engineer/guard/hunter/inventor/juggler/king/lawyer/monk/pilot/queen/rider/servant/
thief/usher/visitor/waiter""")
ROLE = zipf(ROLES)

MOVED = zipf(
    words("""walked ran hurried rode cycled wandered drove strolled climbed crept returned marched
    sailed limped galloped raced drifted flew jogged rushed swam travelled went came""")
)
ACQUIRED = zipf(
    words("""found bought lost noticed carried wanted mended borrowed needed cleaned drew hid sold
    dropped examined unwrapped painted admired received discovered ate broke caught desired
    emptied forgot grabbed held inspected kept liked missed opened packed repaired stole took used
    washed ordered""")
)
WATCHED = zipf(
    words("""watched followed fed heard chased saw photographed ignored greeted freed avoided
    brushed frightened helped loved met patted rescued spotted teased""")
)
TOLD = zipf(words("told asked reminded warned thanked convinced begged promised advised informed"))
AIM = zipf(
    words("""find buy sell mend borrow return paint see fetch hide clean draw deliver collect
    exchange measure admire break carry destroy eat inspect keep lose move order pack repair steal
    test unlock wash auction bury catch donate empty forge grab inherit label obtain protect
    raffle""")
)
FEELING = zipf(
    words("""happy tired proud hungry calm curious sleepy brave lonely angry afraid cheerful nervous
    grateful confused hopeful jealous relieved restless ashamed bored certain eager foolish guilty
    honest ill lucky merry noble polite ready shy thirsty upset weary wise zealous""")
)
MANNER = zipf(
    words("""slowly quietly quickly gladly carefully sadly alone proudly bravely silently eagerly
    twice again together secretly politely boldly calmly daily early firmly gently happily kindly
    lazily nervously often patiently rarely sweetly tenderly wisely""")
)
STATE = choice(
    words("""closed full crowded deserted flooded silent burning dangerous ready late empty noisy
    open quiet safe busy""")
)
NUMBERS = tuple(str(n) for n in range(10, 100))
NUMBER = choice(NUMBERS)
DIGIT = choice(tuple(str(n) for n in range(2, 10)))
