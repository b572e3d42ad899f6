"""Cleans text: a plain Lambda function with no Sluice code in it.

Sluice invokes it with {"payload": ..., "sluice": {...}}. What it returns is the task's result. What it raises is
classed by the name of the error: a ValueError is retryable like any other that Sluice does not know; one called
FatalError would not be retried.
"""

import json
import re
import unicodedata
import urllib.request

MAX_CHARACTERS = 500_000
FETCH_SECONDS = 5

# Typographic characters that a search or a comparison stumbles over.
PLAIN = str.maketrans(
    {
        "\u2018": "'",
        "\u2019": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u2013": "-",
        "\u2014": "-",
        "\u2026": "...",
        "\u00a0": " ",
        "\u00ad": None,
        "\u200b": None,
        "\ufeff": None,
    }
)


def handler(event, context):
    text = text_of(event)
    cleaned = clean(text)
    words = re.findall(r"\w+(?:['-]\w+)*", cleaned)
    return {
        "text": cleaned,
        "stats": {
            "charactersBefore": len(text),
            "characters": len(cleaned),
            "lines": cleaned.count("\n") + 1 if cleaned else 0,
            "words": len(words),
            "distinctWords": len({word.casefold() for word in words}),
        },
    }


def payload_of(event):
    """The payload; one of more than 8 KB is behind a URL that is good for as long as the attempt."""
    url = event.get("payloadUrl")
    if url is None:
        return event.get("payload")
    with urllib.request.urlopen(url, timeout=FETCH_SECONDS) as response:
        return json.load(response)


def text_of(event):
    payload = payload_of(event)
    text = payload.get("text") if isinstance(payload, dict) else None
    if not isinstance(text, str):
        raise ValueError('the payload must be {"text": "..."}')
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"the text has {len(text)} characters; at most {MAX_CHARACTERS} are cleaned")
    return text


def clean(text):
    """One form for each character, no control characters, single spaces, at most one empty line at a time."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(PLAIN)
    text = unicodedata.normalize("NFC", text)
    text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) != "Cc")
    lines = [re.sub(r"\s+", " ", line).strip() for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
