"""Writes the small Parquet files of this folder's tests, as Hugging Face's `datasets` writes them: with pyarrow 26.0.1 and
Snappy. Texts made up for the tests.

    python tests/datasets/fixtures.py
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

FOLDER = Path(__file__).parent / "fixtures"


def write(name: str, columns: dict[str, pa.Array]) -> None:
    pq.write_table(pa.table(columns), FOLDER / name, compression="snappy", row_group_size=7)


stories = [
    f'Once there was a cat number {i}. It said: "Hello!"\n\nThen it ran home. The end.' for i in range(20)
]
write("tinystories.parquet", {"text": pa.array(stories, pa.string())})

article = [
    "",
    " = The first one = \n",
    "",
    " Some words of it . \n",
    " More words , with an equation x = 3 . \n",
    "",
    " = = A heading = = \n",
    "",
    " Below the heading . \n",
    " = Second = \n",
    " Its only paragraph . \n",
]
write("wikitext.parquet", {"text": pa.array(article, pa.string())})

reviews = [("a fine film ", 1), ("dull , and long ", 0), ("it moved me ", 1)] * 10
write(
    "sst2.parquet",
    {
        "idx": pa.array(range(len(reviews)), pa.int32()),
        "sentence": pa.array([text for text, _ in reviews], pa.string()),
        "label": pa.array([label for _, label in reviews], pa.int64()),
    },
)
write(
    "sst2-unlabelled.parquet",
    {
        "idx": pa.array([0, 1], pa.int32()),
        "sentence": pa.array(["who knows ", "not I "], pa.string()),
        "label": pa.array([-1, -1], pa.int64()),
    },
)
