"""Answers over HTTP: trained runs for other programs, and a page for people.  `headway serve RUN`.

server.py      the process: sockets, signals, a rolling change of models
connection.py  one connection, with a time for everything
edge.py        what is done for every request: who asks, whether they may, what is logged and counted
app.py         the routes, put together; errors as plain sentences
predicting.py, cards.py, runs.py, health.py, page.py    the routes; page/ is built from web/ by `make page`
reading.py     a request as what is asked of a model; schemas.py, sounds.py
batcher.py     requests of different clients as one batch; questions.py, window.py
house.py       what all of these share
"""
