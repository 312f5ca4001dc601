"""English sentiment: single sentences from film reviews."""

from headway.data.corpora._movie_reviews import MovieReviews


class RottenTomatoes(MovieReviews):
    title = "Rotten Tomatoes snippets (English, positive or negative)"
    about = "8,530 sentences of about 20 words, two classes."
    origin = (
        "Sentences of film critics, the training part of Pang and Lee 2005, Seeing Stars. Published figures are mostly "
        "ten-fold on all 10,662, so they are near but not the same."
    )
    recipe = "The rows whose source is rotten_tomatoes; blanks are folded, each text is kept once."
    taken = "rotten_tomatoes"
