"""English sentiment: long film reviews."""

from headway.data.corpora import Shares
from headway.data.corpora._movie_reviews import MovieReviews


class Imdb(MovieReviews):
    title = "IMDb film reviews (English, positive or negative)"
    about = "25,000 reviews of about 230 words, two classes."
    origin = (
        "The labelled training half of Maas et al. 2011, Learning Word Vectors for Sentiment Analysis. The test part "
        "is a fifth of that half, so figures on the official test half are near but not the same."
    )
    recipe = "The rows whose source is imdb; `<br />` becomes a blank, blanks are folded, each text is kept once."
    shares = Shares(0.75, 0.05, 0.2)
    taken = "imdb"
