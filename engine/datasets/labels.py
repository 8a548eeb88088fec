"""Class names of well-known data sets, so that a project checks without them."""

from __future__ import annotations

from string import ascii_letters, ascii_lowercase, digits

DIGITS = tuple(digits)
FASHION = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
KUZUSHIJI = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_HUNDRED = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can
    castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin
    elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard
    lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear
    pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark
    shrew skunk skyscraper snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone
    television tiger tractor train trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""
CIFAR100 = tuple(_HUNDRED.split())
_MERGED = set("cijklmopsuvwxyz")
"""Letters whose small and capital form look alike, which some of EMNIST's divisions count as one class."""
_ALL = sorted(digits + ascii_letters)
EMNIST = {
    "byclass": tuple(_ALL),
    "bymerge": tuple(letter for letter in _ALL if letter not in _MERGED),
    "balanced": tuple(letter for letter in _ALL if letter not in _MERGED),
    "letters": tuple(ascii_lowercase),
    "digits": DIGITS,
    "mnist": DIGITS,
}
