"""Tells a sentence in a language that nothing here reads, so that it is said instead of being answered by chance."""

import re
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from mmdemo.core.messages import Message
from mmdemo.language.spelling import Spelling

READ = ("en", "zh")
NAMES = {
    "ar": Message("Arabic"),
    "cs": Message("Czech"),
    "da": Message("Danish"),
    "de": Message("German"),
    "es": Message("Spanish"),
    "fi": Message("Finnish"),
    "fr": Message("French"),
    "hu": Message("Hungarian"),
    "it": Message("Italian"),
    "ja": Message("Japanese"),
    "ko": Message("Korean"),
    "nl": Message("Dutch"),
    "pl": Message("Polish"),
    "pt": Message("Portuguese"),
    "ru": Message("Russian"),
    "sv": Message("Swedish"),
    "tr": Message("Turkish"),
}
LIKELY = 0.3  # probability of a language from which on it is named; two words tell little
CERTAIN = 0.9  # the same, where most words are English or the shop's as well


def unread_language(sentence: str, spelling: Spelling) -> str:
    """The language of a sentence that is not read here.

    Parameters
    ----------
    sentence
        In any language.
    spelling
        Knows the words of English and of the shop.

    Returns
    -------
    str
        A code of `NAMES`; "" where at most one word is unknown, or nothing tells the language.

    Examples
    --------
    >>> spelling = Spelling([])
    >>> unread_language("graue Wollmütze unter 30 Euro", spelling), unread_language("a grey wool hat", spelling)
    ('de', '')
    """
    unknown, count = spelling.unknown(sentence)
    if not unknown or (unknown == 1 and _LATIN.fullmatch(sentence)):  # one word more may be a name
        return ""
    code, probability = _identifier().classify(sentence)
    least = LIKELY if 2 * unknown >= count else CERTAIN
    return code if code not in READ and probability >= least else ""


_LATIN = re.compile(r"[\x00-\u02ff\u1e00-\u1eff\u2000-\u206f\u20a0-\u20cf]*")  # letters, signs and currencies


@cache
def _identifier() -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([*READ, *NAMES])
    return identifier
