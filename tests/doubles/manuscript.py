"""A story of nobody's, for tests that need the text of a work that no model has seen."""

MANUSCRIPT = (
    "Marigold Quiverfen kept the ferry at Low Tarn for eleven winters, and in all that time she never once asked what "
    "the passengers carried in the long green boxes. The boxes hummed. Some of them were warm, others left frost upon "
    "the planks, and one, which a child brought down the hill on a sledge, recited the names of drowned villages until "
    "the far bank came into sight. She wrote the names in her almanac with a pencil stub, beside the prices of eels. "
    "On the last evening of the twelfth winter nobody came. The lamp above the landing burned blue instead of yellow, "
    "and the river, which had always talked to itself, was listening. Marigold put on her father's oilskin and rowed "
    "out to the middle, where the current turns twice before it goes on, and there she opened her own box at last."
)
"""An invented story that no model has seen."""
